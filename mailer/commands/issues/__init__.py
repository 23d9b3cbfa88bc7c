"""Implements the commands on issues: new, check, schema, render."""
