"""Hands messages over in worker threads, which share a limited number of connections."""
