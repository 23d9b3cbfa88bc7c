"""Makes the public pages of a workspace as bytes, independently of HTTP."""
