"""Compiles and renders the templates of themes, with their filters and the writing direction of pages."""
