"""Prepares and plans a campaign, before anything is written or sent."""
