"""Checks and normalises single values of an issue, such as URLs, dates and slots."""
