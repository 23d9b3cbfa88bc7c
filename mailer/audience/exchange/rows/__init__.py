"""Rows of a list: read, checked, and merged into the database."""
