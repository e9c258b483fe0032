"""Writes the tables of a capture to files.

Each name is imported on first use: `formatting` alone, which commands print with, needs no writer of files.
"""

__all__ = ["FORMATS", "Converted", "Format", "Partition", "convert"]

_MODULES = {
    "FORMATS": "formats",
    "Converted": "conversion",
    "Format": "formats",
    "Partition": "formats",
    "convert": "api",
}

# Type checkers take this name for true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from .api import convert
    from .conversion import Converted
    from .formats import FORMATS, Format, Partition
else:

    def __getattr__(name):
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
