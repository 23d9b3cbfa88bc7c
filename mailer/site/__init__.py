"""Public pages as bytes; no HTTP."""
