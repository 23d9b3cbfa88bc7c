"""Columns of a list: what each holds, by its name and by its values."""
