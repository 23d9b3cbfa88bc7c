"""Consent and its withdrawal: joined, left, bounced, suppressed."""
