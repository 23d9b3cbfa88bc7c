"""Applies rate limits: how many messages may be sent, and when."""
