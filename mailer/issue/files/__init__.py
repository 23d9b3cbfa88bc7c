"""Finds and reads the files that an issue is made of, up to a maximum size."""
