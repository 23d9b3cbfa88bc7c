"""Implements the spool on SQLite. All SQL about campaigns and deliveries is in this package."""
