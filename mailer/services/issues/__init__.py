"""Provides the actions on issues: begin a draft, check it, render it to files."""
