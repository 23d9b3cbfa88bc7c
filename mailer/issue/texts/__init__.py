"""The texts of an issue's fields: read once, checked, and cut to fit."""
