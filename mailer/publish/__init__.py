"""The use cases that join the stages: plan an issue, send it, go on with a campaign."""
