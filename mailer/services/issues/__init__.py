"""Provides the actions on issues: create a draft, check an issue, render an issue to files."""
