"""Compiles MJML to HTML, inlines its styles, and checks it."""
