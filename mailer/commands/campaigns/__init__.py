"""`mailer campaigns …`."""
