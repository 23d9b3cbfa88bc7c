"""Renders an issue for each variant: its subject, HTML part, text part and web page."""
