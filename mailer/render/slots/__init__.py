"""Handles slots: the places in a rendition that are filled for each recipient."""
