"""Markdown of an issue: one parser and one tree, from which mail, text part, web page and digest are made."""
