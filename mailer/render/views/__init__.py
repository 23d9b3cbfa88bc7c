"""Defines the views: the values of an issue that templates see."""
