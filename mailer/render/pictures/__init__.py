"""Prepares the pictures of an issue for publication and for templates."""
