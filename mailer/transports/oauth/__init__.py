"""Gets OAuth 2.0 access tokens for logging in to mail servers (RFC 6749, RFC 7628)."""
