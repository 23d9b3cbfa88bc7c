"""Translates texts, formats dates, and handles the direction of text in mails and web pages."""
