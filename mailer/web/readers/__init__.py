"""Serves the pages behind the links of a mail: unsubscribing, and choosing editions."""
