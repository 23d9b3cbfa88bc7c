"""Provides the actions of operators and readers: one function for each action, with a typed result."""
