"""Parses the words of a command line, and completes them in a shell."""
