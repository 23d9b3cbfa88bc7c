"""Reads issues: turns a YAML file into a checked value, and keeps the position of each key in the file."""
