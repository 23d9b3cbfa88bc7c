"""Transports take messages from the delivery loop and say what became of each."""
