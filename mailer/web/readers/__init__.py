"""Serves the pages that the links in a mail lead to: unsubscribing, and choosing editions."""
