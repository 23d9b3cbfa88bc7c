"""Imports and exports lists of people: `importer` reads a CSV file into the database, and `exporter` writes
one.

`sources` opens a file, an archive of lists or standard input; `files.encoding` detects the encoding;
`records` splits a file into rows; `columns` reads the header; `rows` checks each row and merges batches of
rows into the database; `report` records the outcome of each row. At most one batch of a file is in memory.
"""
