"""The reference engine: plain Python, to be read beside the decoding rules.

Knows ``wire``, ``schema`` and ``engine``.  Must not import ``core`` or read files.
"""

from __future__ import annotations

from .assemble import Assembler
from .ranges import Scan, find_record, scan_range

__all__ = ["Assembler", "Scan", "find_record", "scan_range"]
