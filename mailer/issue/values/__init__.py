"""Values of an issue and their parts, as texts: kinds of value, slots, addresses, widths, line ends."""
