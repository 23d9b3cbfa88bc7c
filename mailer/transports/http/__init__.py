"""Sends requests to the HTTP APIs of providers, over one kept connection that reports how much was sent."""
