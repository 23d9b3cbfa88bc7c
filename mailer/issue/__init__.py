"""Reads issues: a YAML file becomes a checked value with the place of each key."""
