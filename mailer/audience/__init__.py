"""Decides who may be written to, and keeps what is known of subscribers."""
