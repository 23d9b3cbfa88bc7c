"""Reads and checks the texts of an issue's fields."""
