"""Defines the values and rules of campaigns, without SQL or I/O."""
