"""Defines the rules of the Markdown parser, one in each module."""
