"""The text part: plain text, wrapped by display width."""
