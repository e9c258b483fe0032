"""Whether one value of any row was seen, by the table of nulls in docs/exports.md.

Knows columns and no code of ``pptpcap._show.null``.
"""

from __future__ import annotations

import numpy as np
from helpers import TYPES
from vectors import CONTROL

from pptpcap import Capture, schema

FIELDS = {table: list(fields) for _, table, _, _, fields in CONTROL}
TEXTS = {"host_name", "vendor_name", "phone_number", "subaddress", "dialed_number", "dialing_number", "call_statistics"}
ZEROS = ("mru", "mppe_bits", "ip_compression", "interface_identifier", "authentication_error", "eap_method")
ZERO_IS_NONE = {f"{side}{name}" for side in ("pns_", "pac_", "") for name in ZEROS}
PRESENT = {
    "pns_call_id": 1, "pac_call_id": 2, "call_serial_number": 4, "result_code": 8, "error_code": 8, "cause_code": 8,
    "disconnect_result_code": 16, "disconnect_error_code": 16, "disconnect_cause_code": 16,
    "pns_terminate_reason": 32, "pac_terminate_reason": 64,
}  # fmt: skip


def unseen(table: str, name: str, row: np.void, known: int | None) -> bool:
    """What the table of nulls says of one value."""
    value = row[name]
    if (value.dtype.kind == "M" and np.isnat(value)) or (value.dtype.kind == "i" and value == -1):
        return True
    if known is not None and name in FIELDS[table]:
        first = 12
        for field in FIELDS[table]:
            width = row[field].dtype.itemsize if field not in TEXTS else schema.dtype(table)[field].itemsize
            if field == name:
                return known <= first if field in TEXTS else known < first + width
            first += width
    if table == "gre":
        header = ("payload_length", "call_id", "sequence_number", "acknowledgment_number")
        if name in header and row["status"] & 1 and not any(row[n] for n in header[header.index(name) :]):
            return True
        if name == "skipped" and row["tunnel"] == -1:
            return True
        flag = {"sequence_number": 0x1000, "skipped": 0x1000, "acknowledgment_number": 0x80}.get(name)
        return (name == "ppp_protocol" and value == 0) or (flag is not None and not row["flags_and_version"] & flag)
    if table == "ppp" and name in ("code", "identifier", "length"):
        # no packet of these captures has a head of zeros alone
        end = {"code": 1, "identifier": 2, "length": 4}[name]
        return bool(row["status"] & 0x200) or (row["available"] < end and not (row["code"] and row["length"]))
    if table == "ppp_options":
        return name == "value" and row["length"] == 2
    if name == "end_packet":
        return bool(row["end"] == 0)
    if table == "connections":
        side, _, said = name.partition("_")
        if said in ("echo_rtt_min_ns", "echo_rtt_mean_ns"):
            return bool(row[f"{side}_echo_rtt_samples"] == 0)
        if said in ("protocol_version", "firmware_revision", "host_name", "vendor_name"):
            return not row["present"] & {"initiator": 1, "responder": 2}[side]
        return name in ("result_code", "error_code") and not row["present"] & 4
    if table in ("tunnels", "calls"):
        flow = name.removeprefix("pns_").removeprefix("pac_")
        prefix = name.removesuffix(flow)
        if flow in ("first_sequence", "last_sequence"):
            return bool(row[f"{prefix}packets"] == 0)
        if flow in ("ack_delay_min_ns", "ack_delay_mean_ns"):
            return bool(row[f"{prefix}ack_delay_samples"] == 0)
    if table == "calls":
        if name.endswith(("echo_rtt_min_ns", "echo_rtt_mean_ns")):
            return bool(row[f"{name[:3]}_echo_rtt_samples"] == 0)
        if name in PRESENT:
            return not row["present"] & PRESENT[name] or (name == "cause_code" and row["kind"] == 2)
        empty = name.endswith(("_ipv4", "_name")) and not any(value)
        return empty or (name in ZERO_IS_NONE and value == 0)
    return False


def known_of(capture: Capture, table: str, row: int) -> int | None:
    """Octets of a row's message that can be read."""
    if table not in TYPES:
        return None
    message = capture.messages[capture[table][row]["message"]]
    return int(min(message["available"], message["length"]))
