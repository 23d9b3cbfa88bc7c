"""Writes the text part: plain text, wrapped by display width."""
