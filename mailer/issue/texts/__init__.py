"""Reads and checks the texts in an issue's fields."""
