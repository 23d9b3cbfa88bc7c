"""Sends due campaigns, from cron or from a thread beside the web server."""
