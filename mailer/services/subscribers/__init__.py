"""Actions of an operator on subscribers: import, export, add, list, show, take off, suppress, restore."""
