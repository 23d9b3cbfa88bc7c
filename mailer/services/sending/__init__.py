"""Sends campaigns: freezes, runs, goes on, and concludes."""
