"""Loads commands by name: the module of a command is imported only when the command is called."""
