"""Tunnels and calls, from messages, Enhanced GRE and PPP."""
