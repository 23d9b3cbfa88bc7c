"""Rules of the Markdown parser, one a module."""
