"""YAML -> Issue."""
