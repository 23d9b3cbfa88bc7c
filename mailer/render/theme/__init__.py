"""Themes: templates, filters, and writing direction."""
