"""Text that YAML would read otherwise than it was typed: told at its place, and made harmless."""
