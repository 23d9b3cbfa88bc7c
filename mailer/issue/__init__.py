"""Reads issues: turns a YAML file into a checked `Issue`, and keeps the position of each key in the file."""
