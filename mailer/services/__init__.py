"""What operators and readers can do: one function for each action, with a typed result."""
