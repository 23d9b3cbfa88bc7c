"""Actions on issues: begin a draft, check it, render it to files."""
