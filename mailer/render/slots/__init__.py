"""Finds and fills slots: the places in a rendition that get a value of each recipient."""
