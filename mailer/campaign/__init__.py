"""Values and rules of campaigns: no SQL, no input, no output."""
