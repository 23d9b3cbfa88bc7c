"""Detects a database that was removed, replaced, moved or restored from an old copy."""
