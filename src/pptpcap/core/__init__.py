"""The fast twin: Cython, no interpreter between two rows.

Knows ``wire`` through generated numbers and ``schema``; never imports the reference.  Called by
``reading`` alone.
"""

from .assemble import Assembler
from .scan import scan

__all__ = ["Assembler", "scan"]
