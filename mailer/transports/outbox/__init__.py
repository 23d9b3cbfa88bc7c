"""Implements the transport `outbox:`, a folder for trying out."""
