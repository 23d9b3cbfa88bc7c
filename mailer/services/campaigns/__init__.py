"""An operator's decisions about campaigns."""
