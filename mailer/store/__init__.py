"""Opens subscribers.db, migrates its tables, and gives transactions and the time."""
