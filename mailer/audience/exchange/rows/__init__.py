"""Reads and checks the rows of a list, and merges them into the database."""
