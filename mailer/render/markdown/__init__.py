"""Writes parsed Markdown as HTML for a mail and for the web page."""
