"""Implements the transports `smtp:` and `smtps:`, which send to an SMTP server (RFC 5321)."""
