"""Newsletters as code: issues written in YAML, delivered and archived provably."""

__all__ = ["__version__"]

__version__ = "0.6.0"
