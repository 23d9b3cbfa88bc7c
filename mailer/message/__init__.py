"""Composes the bytes of each message from a rendition and a recipient, and signs them with DKIM."""
