"""Detects that the database was removed, replaced, moved, or restored from an old copy."""
