"""Shows campaigns, and carries out an operator's decisions about them."""
