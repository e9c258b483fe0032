"""IP datagrams from fragments, and control messages from TCP segments."""
