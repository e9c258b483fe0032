"""PPTP (RFC 2637) packet captures in, NumPy arrays out.

The public list, nothing else.
"""

from .capture import Capture, CaptureFile, Summary
from .errors import CaptureError, IssueError
from .reading import iterate, read

__all__ = ["Capture", "CaptureError", "CaptureFile", "IssueError", "Summary", "iterate", "read"]

__version__ = "0.1.0"
