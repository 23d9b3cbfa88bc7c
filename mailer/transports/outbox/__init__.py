"""Implements the transport `outbox:`, which writes messages into a folder for trying out."""
