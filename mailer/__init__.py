"""Sends newsletters that are kept as code: issues are YAML files, delivered and archived provably."""

__all__ = ["__version__"]

__version__ = "0.6.0"
