"""Finds and fills slots: the places in a rendition that show data of the recipient, such as the name."""
