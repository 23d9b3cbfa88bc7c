"""Reads YAML as people type it, and reports what its rules would cut, change or drop."""
