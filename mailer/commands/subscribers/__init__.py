"""`mailer subscribers …`."""
