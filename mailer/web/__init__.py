"""Serves readers over HTTP: unsubscribe and preferences pages, and the public archive."""
