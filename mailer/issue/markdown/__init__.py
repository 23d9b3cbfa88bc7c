"""Parses each Markdown text of an issue once into a tree, from which all parts of a mail are made."""
