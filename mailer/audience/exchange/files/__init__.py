"""Reads the files of lists as text: encodings, archives, samples."""
