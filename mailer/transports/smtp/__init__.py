"""The transports `smtp:` and `smtps:` (RFC 5321)."""
