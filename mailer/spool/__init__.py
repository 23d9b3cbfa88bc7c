"""The spool keeps one delivery for each person and campaign."""
