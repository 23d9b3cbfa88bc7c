"""Imports and exports lists of people: `importer` reads a CSV file into the database, `exporter` writes one.

`sources` opens the lists of an archive or of standard input, `files.encoding` detects the encoding, `records`
splits a file into rows, `columns` reads the header, `rows` makes checked entries, `rows.merge` puts a batch
of them into the database, and `report` records the outcome of each row. Memory holds one batch of a file at
most.
"""
