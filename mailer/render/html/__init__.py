"""MJML and HTML: compiled, inlined, and checked."""
