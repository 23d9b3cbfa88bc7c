"""The commands by name: `--help` lists them all, and the module of one is imported when it is called."""
