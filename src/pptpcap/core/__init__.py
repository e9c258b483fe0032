"""The compiled engine: Cython, without the interpreter between two rows.

Knows ``wire`` through generated numbers, and ``schema``.  Must not import ``reference``.
"""

from .assemble import Assembler
from .scan.ranges import scan_range
from .scan.search import find_record

__all__ = ["Assembler", "find_record", "scan_range"]
