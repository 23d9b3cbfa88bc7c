"""Checks MJML, converts it to HTML, and inlines the style sheets of the HTML."""
