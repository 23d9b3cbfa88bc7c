"""Converts values of a list to what is stored: addresses, dates, languages, time zones."""
