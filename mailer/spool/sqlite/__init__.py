"""The spool on SQLite: every statement on campaigns and deliveries."""
