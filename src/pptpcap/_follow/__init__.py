"""Follows what happens in calls through the rows of a capture, batch by batch."""
