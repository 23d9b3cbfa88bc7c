"""Rendition + audience -> outcomes."""
