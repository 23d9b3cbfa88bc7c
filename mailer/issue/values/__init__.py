"""Checks values of an issue and their parts, as texts: types, slots, addresses, widths, line ends."""
