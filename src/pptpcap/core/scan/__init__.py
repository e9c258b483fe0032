"""Records and headers of one range, without any state of the past."""
