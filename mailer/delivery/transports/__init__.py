"""What takes messages from us."""
