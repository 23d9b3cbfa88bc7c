"""Compiles themes: templates, filters, and writing direction."""
