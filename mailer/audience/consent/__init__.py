"""Records consent and its withdrawal: unsubscribes, bounces, suppressions."""
