"""Provides an operator's actions on subscribers: import, export, add, list, show, unsubscribe, suppress,
restore."""
