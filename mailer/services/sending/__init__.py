"""Sends campaigns: freezes a plan, runs and resumes the campaign, and sets its status after each run."""
