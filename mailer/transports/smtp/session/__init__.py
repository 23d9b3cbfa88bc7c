"""Implements one SMTP session: connecting, logging in, and how far a message got."""
