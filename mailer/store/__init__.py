"""Opens subscribers.db, migrates its tables, and provides transactions."""
