"""Sends the campaigns that are due, from cron or from a thread beside the web server."""
