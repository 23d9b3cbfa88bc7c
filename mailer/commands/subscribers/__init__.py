"""Implements the commands of `mailer subscribers`."""
