"""Provides translations, dates and directions of text, for mails and pages."""
