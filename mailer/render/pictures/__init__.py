"""Pictures of an issue as they are published, and as templates see them."""
