"""Builds the views of an issue: the values that templates see."""
