"""Implements the spool on SQLite, with every statement on campaigns and deliveries."""
