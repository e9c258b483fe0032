"""Reads the records and headers of one range, without state."""
