"""Renders an issue: subject, HTML, text and web page for each variant."""
