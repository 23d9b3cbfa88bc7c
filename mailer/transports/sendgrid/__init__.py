"""Implements the transport `sendgrid:`, over the v3 Mail Send API."""
