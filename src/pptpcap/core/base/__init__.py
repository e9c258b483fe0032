"""What every stage of the compiled engine stands on: memory, octets, hash tables, generated numbers, rows."""
