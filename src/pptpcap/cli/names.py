"""Names of the columns that the commands print, where they can be chosen.

Must not import NumPy.
"""

from __future__ import annotations

from ..wire.control import HEADER, MESSAGES
from ..wire.tables import BY_NAME

__all__ = ["CALLS", "ENDS", "MESSAGES_ALL", "MESSAGES_COMMON"]

CALLS = ("call", *(column.name for column in BY_NAME["calls"].columns))
# The sender of a message and who gets it.
ENDS = ("source_address", "source_port", "destination_address", "destination_port")
# Of every message.
MESSAGES_COMMON = (
    *("index", "time", "file", "packet", "record_offset", "connection", "from_initiator"),
    *(*ENDS, "segments", "status", "message"),
    *(field.name for field in HEADER),
    "available",
)
# Those of a type too.
MESSAGES_ALL = tuple(dict.fromkeys([*MESSAGES_COMMON, *(field.name for one in MESSAGES for field in one.fields)]))
