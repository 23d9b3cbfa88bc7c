"""Checks the records that the DNS publishes: SPF, DKIM, DMARC, MX."""
