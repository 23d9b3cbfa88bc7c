"""Implements the commands that plan and send: plan, send, explain, run-due."""
