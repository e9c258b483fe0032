"""Words for people: names, escapes, units, and which values are null."""
