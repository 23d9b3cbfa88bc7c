"""Hands messages over in threads, and shares connections among them."""
