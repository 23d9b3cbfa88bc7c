"""Views: the values of an issue that templates see."""
