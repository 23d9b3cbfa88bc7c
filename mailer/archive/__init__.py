"""Keeps sent campaigns as evidence in campaigns/<slug>/, and verifies them."""
