"""Implements the command line. A command parses its words, calls one function of services/ and prints."""
