"""Shows mails as a set of simulated mail clients in Chromium, and measures their layout there.

`facts.toml` is the table of what clients do, with its sources. `python -m tools.clients` writes the gallery;
tests/browser/test_clients.py compares the layout facts.
"""
