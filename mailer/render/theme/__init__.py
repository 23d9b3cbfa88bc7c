"""Compiles and renders the templates of themes, and sets the writing direction of the rendered pages."""
