"""Reads and checks rows of a list, and merges them into the database."""
