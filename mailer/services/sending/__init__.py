"""Sends campaigns: freezes a plan, runs it, resumes it, and concludes it."""
