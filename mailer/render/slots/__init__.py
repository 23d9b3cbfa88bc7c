"""Slots: places in a rendition that are filled per recipient."""
