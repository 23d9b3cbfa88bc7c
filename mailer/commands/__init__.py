"""The command line. One module a noun: each parses, calls one function, prints."""
