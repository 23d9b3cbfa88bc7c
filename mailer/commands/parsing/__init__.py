"""How the words of a command line become a command and its values."""
