"""Checks of what the DNS publishes: SPF, DKIM, DMARC, MX."""
