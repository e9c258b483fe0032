"""Harnesses that look for inputs that break the decoder: mutation, guided search, replay of folders, leaks.

No part of the suite, but for ``tests/laws/test_fuzz.py``, which runs a few inputs of each; ``docs/trust.md`` says how to use
them.  They need nothing that the suite does not need, but for the guided search.
"""
