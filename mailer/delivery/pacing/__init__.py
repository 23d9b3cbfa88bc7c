"""Limits of speed: how many messages may leave, and when."""
