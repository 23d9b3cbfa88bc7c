"""Parses the Markdown of an issue once into a tree, of which all parts of a mail are made."""
