"""Draws the pictures of the sample issues, the same bytes each time: `python -m tools.pictures`.

A series in a few flat inks, like screen prints. Everything is drawn at twice its size and scaled down once.
"""
