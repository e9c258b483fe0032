"""The slow twin: the decoder in plain Python, to be read against ``docs/decoding/``.

Knows ``wire``, ``schema`` and ``engine``; must not know the compiled core nor who reads files.
Called by ``reading`` as an engine, and by the tests that hold the two twins equal.
"""

from __future__ import annotations

from .assemble import Assembler
from .ranges import Scan, find_record, scan_range

__all__ = ["Assembler", "Scan", "find_record", "scan_range"]
