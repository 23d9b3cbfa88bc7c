"""The pictures of an issue and their files."""
