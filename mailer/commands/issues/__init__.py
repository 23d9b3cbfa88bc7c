"""The commands on issues: new, check, render."""
