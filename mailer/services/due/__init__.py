"""Sends what is due, by cron or from a thread beside the web server."""
