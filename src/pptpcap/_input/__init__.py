"""From a path to bytes in memory: which files, what they are, how they are opened, mapped, read and decompressed."""
