"""Composes messages: rendition and recipient to bytes, signed with DKIM."""
