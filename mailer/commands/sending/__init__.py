"""The commands that send: plan, send, explain, run-due."""
