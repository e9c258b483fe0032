"""Which values of rows were never seen: those for which arrays have 0, and people and exporters get nothing.

Knows NumPy and what columns mean, and no file.  Called by the command line and by ``export``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from .engine import Rows
from .wire import gre
from .wire.control import MESSAGES
from .wire.model import Field, Message
from .wire.status import CallKind, CallPresent, GreStatus, PppStatus, Present
from .wire.tables import BY_NAME

__all__ = ["Mask", "Octets", "absent", "octets_needed"]

Mask: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]
Masks: TypeAlias = Iterator[tuple[str, Mask]]
Octets: TypeAlias = np.ndarray[tuple[int], np.dtype[np.uint16]]

_MESSAGES = {message.name: message for message in MESSAGES}
# An option's own type and length.
_OPTION_HEAD = 2

_CALL_BITS = {
    CallPresent.PNS_CALL_ID: ("pns_call_id",),
    CallPresent.PAC_CALL_ID: ("pac_call_id",),
    CallPresent.SERIAL: ("call_serial_number",),
    CallPresent.RESULT: ("result_code", "error_code", "cause_code"),
    CallPresent.DISCONNECT: ("disconnect_result_code", "disconnect_error_code", "disconnect_cause_code"),
    CallPresent.PNS_TERMINATE: ("pns_terminate_reason",),
    CallPresent.PAC_TERMINATE: ("pac_terminate_reason",),
}
# Columns of calls, some of them for each side, in which 0 is "not seen".
_NOT_ZERO = ("mru", "mppe_bits", "ip_compression", "interface_identifier", "authentication_error", "name")


def octets_needed(message: Message, field: Field) -> int:
    """Octets of a message without which there is nothing of a field: of a text that is cut, the rest is there."""
    start = message.offset(field.name)
    return start + (1 if field.kind == "text" else field.width)


def absent(table: str, rows: Rows, known: Octets | None = None) -> dict[str, Mask]:
    """Which values of a table's rows were not seen.

    Parameters
    ----------
    table : str
        Name of a table.
    rows : numpy.ndarray
        Rows of it, with all columns.
    known : numpy.ndarray, optional
        For the 15 tables of messages: the lesser of ``available`` and ``length`` of each row's message.

    Returns
    -------
    dict of str to numpy.ndarray
        By column, true for each row without a value.  Other columns always have one, but for times that are NaT.
    """
    # All that is below 0 stands for a row of another table that there is none of.
    masks = {column.name: rows[column.name] < 0 for column in BY_NAME[table].columns if column.dtype.startswith("int")}
    if table in _MESSAGES:
        assert known is not None
        message = _MESSAGES[table]
        masks.update({field.name: known < octets_needed(message, field) for field in message.fields})
    elif table in _RULES:
        masks.update(_RULES[table](rows))
    return masks


def _gre(rows: Rows) -> Masks:
    flags = rows["flags_and_version"]
    # What is behind the cut in a header is 0; so a field is, from which on all are 0.
    behind = rows["status"] & GreStatus.HEADER_CUT != 0
    for name, flag in (
        ("acknowledgment_number", gre.ACKNOWLEDGMENT_PRESENT),
        ("sequence_number", gre.SEQUENCE_PRESENT),
        ("call_id", 0),
        ("payload_length", 0),
    ):
        behind = behind & (rows[name] == 0)
        yield name, behind | (flags & flag != flag)
    yield "ppp_protocol", rows["ppp_protocol"] == 0


def _ppp(rows: Rows) -> Masks:
    status, available = rows["status"], rows["available"]
    none = status & PppStatus.NO_HEAD != 0
    # A head of which the packet itself has only a part is told from one that claims a length below 4: its length is 0.
    empty = (available > 0) | ((rows["code"] == 0) & (rows["identifier"] == 0))
    short = (status & PppStatus.MALFORMED != 0) & (rows["length"] == 0) & empty
    cut = (status & PppStatus.HEAD_CUT != 0) | short
    for name, needed in (("code", 1), ("identifier", 2), ("length", 4)):
        yield name, none | (cut & (available < needed))


def _ppp_options(rows: Rows) -> Masks:
    yield "value", rows["length"] <= _OPTION_HEAD


def _connections(rows: Rows) -> Masks:
    for side, bit in (("initiator", Present.INITIATOR), ("responder", Present.RESPONDER)):
        silent = rows["present"] & bit == 0
        for name in ("protocol_version", "firmware_revision", "host_name", "vendor_name"):
            yield f"{side}_{name}", silent
    without = rows["present"] & Present.RESULT == 0
    yield "result_code", without
    yield "error_code", without


def _tunnels(rows: Rows, prefix: str = "") -> Masks:
    for names, count in (
        (("first_sequence", "last_sequence"), "packets"),
        (("rtt_min_ns", "rtt_mean_ns"), "rtt_samples"),
    ):
        none = rows[prefix + count] == 0
        for name in names:
            yield prefix + name, none


def _calls(rows: Rows) -> Masks:
    for bit, names in _CALL_BITS.items():
        without = rows["present"] & bit == 0
        for name in names:
            # An Incoming-Call-Reply has none.
            yield name, without | (rows["kind"] == CallKind.INCOMING) if name == "cause_code" else without
    for prefix in ("pns_", "pac_"):
        yield from _tunnels(rows, prefix)
        yield prefix + "ipv4", (rows[prefix + "ipv4"] == 0).all(axis=1)
    names = rows.dtype.names or ()
    for name in (prefix + name for name in _NOT_ZERO for prefix in ("", "pns_", "pac_")):
        if name in names:
            yield name, rows[name] == np.zeros((), rows.dtype[name])


_RULES: dict[str, Callable[[Rows], Masks]] = {
    "gre": _gre,
    "ppp": _ppp,
    "ppp_options": _ppp_options,
    "connections": _connections,
    "tunnels": _tunnels,
    "calls": _calls,
}
