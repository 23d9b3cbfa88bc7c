"""Provides the actions that concern one reader: leave, come back, choose editions, be erased."""
