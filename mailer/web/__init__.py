"""The web server for readers: unsubscribe and preferences pages, and the public archive."""
