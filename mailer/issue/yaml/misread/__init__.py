"""Finds text that YAML would read differently from what was typed, reports it, and makes it harmless."""
