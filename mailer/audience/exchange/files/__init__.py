"""Reads the files of lists as text: detects encodings, opens archives, takes samples."""
