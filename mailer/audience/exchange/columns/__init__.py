"""Finds what each column of a list holds, by its name and by its values."""
