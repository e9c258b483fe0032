"""From a path to octets in memory: which files, what they are, how they are opened, mapped, read and decompressed."""
