"""Speaks HTTP with the APIs of providers, over one kept connection that says how far a request got."""
