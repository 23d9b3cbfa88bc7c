"""Implements the transports `smtp:` and `smtps:` (RFC 5321)."""
