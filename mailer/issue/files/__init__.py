"""Finds and reads the files that an issue is made of, within limits."""
