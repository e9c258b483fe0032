"""The fast twin: Cython, no interpreter between two rows.

Knows ``wire`` through generated numbers and ``schema``; never imports the reference.  Called by
``reading`` alone.
"""

from .assemble import Assembler
from .scan.ranges import scan_range
from .scan.search import find_record

__all__ = ["Assembler", "find_record", "scan_range"]
