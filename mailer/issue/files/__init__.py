"""Files that an issue is made of: their names, and reading them with limits."""
