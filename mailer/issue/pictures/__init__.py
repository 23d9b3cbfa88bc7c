"""Finds the pictures of an issue and their files."""
