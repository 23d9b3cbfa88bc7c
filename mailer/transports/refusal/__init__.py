"""Classifies what servers and providers answer when they refuse a message."""
