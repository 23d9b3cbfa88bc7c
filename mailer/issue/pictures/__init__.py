"""Finds the pictures of an issue and reads their files."""
