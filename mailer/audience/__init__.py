"""Keeps the subscribers with their consents and events, and decides who may get mail."""
