"""What a reader's browser opens."""
