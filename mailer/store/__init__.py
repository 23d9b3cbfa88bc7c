"""Opens subscribers.db and keeps its tables."""
