"""The transport `outbox:`, a folder for trying out."""
