"""Implements an SMTP session, which connects, logs in, and reports how much of a message was sent."""
