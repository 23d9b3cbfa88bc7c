"""Writes the text part of a mail: plain text, wrapped to a number of columns."""
