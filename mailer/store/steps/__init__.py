"""Holds the migrations that made the tables, by version. A released migration is never changed."""
