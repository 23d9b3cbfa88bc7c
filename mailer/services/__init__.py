"""Provides one function, with a typed result, for each action of an operator or a reader."""
