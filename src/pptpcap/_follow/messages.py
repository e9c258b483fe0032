"""Reads what both timelines and diagnoses need of control messages.

Knows ``messages`` and the tables of its types.  Must not know calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine import Rows
from ..wire.control import BY_NAME

__all__ = ["ECHO_REPLY", "ECHO_REQUEST", "echo_identifier"]

ECHO_REQUEST, ECHO_REPLY = (BY_NAME[f"echo_{what}"].code for what in ("request", "reply"))
_NAMES = {ECHO_REQUEST: "echo_request", ECHO_REPLY: "echo_reply"}
# Octets of either up to the end of its identifier.
_NEEDED = 16


def echo_identifier(message: Any, batch: Mapping[str, Rows], first_row: Mapping[str, int]) -> int | None:
    """The identifier of an echo; None if the message is none, or it is not known."""
    name = _NAMES.get(int(message["control_message_type"]))
    if name is None or message["row"] < 0 or min(message["available"], message["length"]) < _NEEDED:
        return None
    return int(batch[name][int(message["row"]) - first_row[name]]["identifier"])
