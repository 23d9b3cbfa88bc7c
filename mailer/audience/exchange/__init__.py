"""Imports and exports lists of people: `importer` reads a CSV file into the database, `exporter` writes one.

`sources` finds the lists of an archive or of standard input, `encoding` finds out how a file is written,
`records` splits it into rows, `columns` knows what its header means, `rows` makes checked entries, `merge`
puts a batch of them into the database, and `report` says what was done to which row. Nothing here holds more
of a file than one batch.
"""
