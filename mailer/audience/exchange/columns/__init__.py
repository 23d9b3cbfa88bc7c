"""Finds out what each column of a list holds, by the column's name and its cells."""
