"""Implements the commands of `mailer campaigns`."""
