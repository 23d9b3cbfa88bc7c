"""Reads YAML as people type it, and reports text that YAML's rules would cut off, change or drop."""
