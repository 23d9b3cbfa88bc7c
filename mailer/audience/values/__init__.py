"""Converts cells of a list to the values that are stored: addresses, dates, languages, time zones, tags."""
