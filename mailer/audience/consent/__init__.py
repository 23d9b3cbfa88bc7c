"""Records consents and what ends or forbids mail: unsubscribes, bounces and suppressions."""
