"""Implements the transport `sendgrid:`, which sends over the v3 Mail Send API of SendGrid."""
