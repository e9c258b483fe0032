"""Decoders of the tests' own, which share nothing with the engines that they judge."""
