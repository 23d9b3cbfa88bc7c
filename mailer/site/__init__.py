"""Makes public pages as bytes; it knows no HTTP."""
