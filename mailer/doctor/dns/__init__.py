"""Checks DNS records that matter for sending mail: SPF, DKIM, DMARC, MX and PTR."""
