"""From octets to batches of rows: ranges, threads, files in order, and the functions that users call."""
