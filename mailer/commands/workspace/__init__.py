"""The commands on a workspace: init, doctor, serve."""
