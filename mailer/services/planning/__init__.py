"""Prepares and plans a sending before anything is written."""
