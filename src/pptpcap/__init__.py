"""The public names of pptpcap: PPTP (RFC 2637) packet captures in, NumPy arrays out.

Each name is imported on first use, so ``import pptpcap`` needs the standard library alone.  Contains nothing else.
"""

__all__ = [
    "Capture",
    "CaptureError",
    "CaptureFile",
    "Extracted",
    "IssueError",
    "Scan",
    "Summary",
    "Table",
    "extract",
    "iterate",
    "read",
    "report",
    "scan",
]

__version__ = "0.1.0"

_MODULES = {
    "Capture": "capture",
    "CaptureError": "errors",
    "CaptureFile": "capture",
    "Extracted": "_extract",
    "IssueError": "errors",
    "Scan": "_reading.lazy",
    "Summary": "capture",
    "Table": "tables",
    "extract": "_extract",
    "iterate": "_reading.api",
    "read": "_reading.api",
    "report": "_report",
    "scan": "_reading.lazy",
}

# Type checkers take this name for true; importing it from typing would take longer than all else here.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from ._extract import Extracted, extract
    from ._reading.api import iterate, read
    from ._reading.lazy import Scan, scan
    from ._report import report
    from .capture import Capture, CaptureFile, Summary
    from .errors import CaptureError, IssueError
    from .tables import Table
else:

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
