"""Sends newsletter issues, which are YAML files, and archives what was sent with a hash of every file."""

__all__ = ["__version__"]

__version__ = "0.6.0"
