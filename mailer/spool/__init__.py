"""Stores one delivery for each person and campaign."""
