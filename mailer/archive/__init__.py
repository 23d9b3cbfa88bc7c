"""campaigns/<slug>/ and what is made of it."""
