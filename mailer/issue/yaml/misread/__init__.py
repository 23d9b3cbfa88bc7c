"""Finds text that YAML would read otherwise than it was typed, reports it, and makes it harmless."""
