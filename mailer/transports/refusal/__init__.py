"""Classifies the answers with which servers and providers refuse a message."""
