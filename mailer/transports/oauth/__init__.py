"""Gets OAuth 2.0 access tokens for mail servers (RFC 6749, RFC 7628)."""
