"""Parses the arguments of a command line, and completes them in a shell."""
