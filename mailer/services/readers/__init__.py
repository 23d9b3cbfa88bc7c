"""Provides the actions that concern one reader: unsubscribe, return, choose editions, be erased."""
