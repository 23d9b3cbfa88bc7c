"""Delivers campaigns: claims deliveries, hands them to a transport, and settles the outcomes."""
