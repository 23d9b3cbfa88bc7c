"""Implements the commands on a workspace: init, doctor, serve, theme."""
