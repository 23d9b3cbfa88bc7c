"""Makes the public pages of a workspace as bytes. The package `web` serves them over HTTP."""
