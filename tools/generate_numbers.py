"""Write ``core/base/numbers.pxd``: every number, set and row layout that Cython needs, from ``wire``.

Knows the names that the core uses.  Must not define a number.  With ``--check``, fails if the file is out of date.
"""

from __future__ import annotations

import dataclasses
import sys
from enum import IntEnum, IntFlag
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from pptpcap import schema
from pptpcap.engine import COUNTERS
from pptpcap.wire import calls, carriers, container, control, gre, ip, limits, link, mppe, ppp, tcp
from pptpcap.wire.status import (
    Authenticated,
    Authentication,
    CallEnd,
    CallKind,
    CallPhase,
    CallPresent,
    CallReason,
    CallStatus,
    Compression,
    End,
    GreStatus,
    Kind,
    Layer,
    MessageStatus,
    PppStatus,
    Present,
    Side,
)

TARGET = Path(__file__).parent.parent / "src" / "pptpcap" / "core" / "base" / "numbers.pxd"

HEAD = '''"""Numbers and row layouts, generated from ``wire`` by ``tools/generate_numbers.py``: do not edit."""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

'''

ROWS = {
    "messages": "MessageRow",
    "gre": "GreRow",
    "ppp": "PppRow",
    "ppp_options": "PppOptionRow",
    "connections": "ConnectionRow",
    "tunnels": "TunnelRow",
    "calls": "CallRow",
    "issues": "IssueRow",
}

# Columns that stand side by side, first and last, and the struct and field that they become; where there are several
# prefixes the same columns follow for each of them, and the field is an array.
PARTS = {
    "connections": (("SideRow", "side", "protocol_version", "echo_rtt_unanswered", ("initiator_", "responder_")),),
    "tunnels": (
        ("FiguresRow", "figures", "packets", "ack_delay_mean_ns", ("",)),
        ("ContentsRow", "contents", "ipv4_packets", "other_packets", ("",)),
    ),
    "calls": (
        ("CallSideRow", "side", "packets", "name", ("pns_", "pac_")),
        ("ContentsRow", "contents", "ipv4_packets", "other_packets", ("",)),
    ),
    # Parts of parts.
    "CallSideRow": (("FiguresRow", "figures", "packets", "ack_delay_mean_ns", ("",)),),
}

C_TYPES = {
    "int16": "int16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "uint8": "uint8_t",
    "uint16": "uint16_t",
    "uint32": "uint32_t",
    "uint64": "uint64_t",
    "bool": "uint8_t",
    "datetime64[ns]": "int64_t",
}


class _Member(NamedTuple):
    name: str
    c_type: str
    size: int


def _enum(prefix: str, numbers: dict[str, int]) -> str:
    # What does not fit in an int of C would make the others wider.
    lines = "".join(f"    {prefix}{name} = {number}{'U' * (number >= 1 << 31)}\n" for name, number in numbers.items())
    return f"cdef enum:\n{lines}\n"


def _names(enum: type[IntEnum] | type[IntFlag]) -> dict[str, int]:
    return {str(member.name): int(member) for member in enum}


def _numbers(module: ModuleType) -> dict[str, int]:
    return {name: number for name, number in vars(module).items() if name.isupper() and isinstance(number, int)}


def _sets(prefix: str, module: ModuleType) -> str:
    """Whether a number is in a set, as a function for each set."""
    functions = ""
    for name, numbers in vars(module).items():
        if name.isupper() and isinstance(numbers, frozenset):
            tests = "\n        or ".join(f"number == {number}" for number in sorted(numbers))
            functions += f"cdef inline bint in_{prefix}{name}(int number) noexcept nogil:\n"
            functions += f"    return (\n        {tests}\n    )\n\n\n"
    return functions


def _caps() -> str:
    lines = "".join(f"    int64_t {field.name}\n" for field in dataclasses.fields(limits.Limits))
    return f"cdef struct Caps:\n{lines}\n\n"


def _columns(table: str) -> list[_Member]:
    dtype = schema.dtype(table)
    members = []
    for column in dtype.names or ():
        base, shape = dtype[column].base, dtype[column].shape
        c_type = "uint8_t" if base.kind == "S" else C_TYPES[str(base)]
        members.append(_Member(column, c_type, base.itemsize if base.kind == "S" else shape[0] if shape else 0))
    return members


def _struct(key: str, name: str, members: list[_Member], structs: dict[str, str]) -> None:
    """Add a packed struct to `structs`, those that it is made of first; equal parts are one struct."""
    for part, field, first, last, prefixes in PARTS.get(key, ()):
        names = [member.name for member in members]
        start, end = names.index(prefixes[0] + first), names.index(prefixes[0] + last) + 1
        inside = [member._replace(name=member.name.removeprefix(prefixes[0])) for member in members[start:end]]
        end = start + len(inside) * len(prefixes)
        if names[start:end] != [prefix + member.name for prefix in prefixes for member in inside]:
            raise ValueError(f"the columns of {name} are not alike under {prefixes}")
        _struct(part, part, inside, structs)
        members = [*members[:start], _Member(field, part, len(prefixes) if len(prefixes) > 1 else 0), *members[end:]]
    lines = "".join(f"    {c_type} {field}{f'[{size}]' if size else ''}\n" for field, c_type, size in members)
    text = f"cdef packed struct {name}:\n{lines}\n"
    if structs.setdefault(name, text) != text:
        raise ValueError(f"{name} is not the same in all tables")


def _rows() -> str:
    structs: dict[str, str] = {}
    for table, name in ROWS.items():
        _struct(table, name, _columns(table), structs)
    return "".join(structs.values())


def render() -> str:
    """The text of the generated file."""
    parts = [
        HEAD,
        _enum("MESSAGE_", _names(MessageStatus)),
        _enum("GRE_", _names(GreStatus)),
        _enum(
            "PPP_", {name if name != "MULTILINK" else name + "_STATUS": bit for name, bit in _names(PppStatus).items()}
        ),
        _enum("CARRIER_", _names(carriers.Carrier)),
        _sets("CARRIER_", carriers),
        _enum("LAYER_", _names(Layer)),
        _enum("KIND_", _names(Kind)),
        _enum("END_", _names(End)),
        _enum("PRESENT_", _names(Present)),
        _enum("CALL_KIND_", _names(CallKind)),
        _enum("CALL_END_", _names(CallEnd)),
        _enum("PHASE_", _names(CallPhase)),
        _enum("REASON_", _names(CallReason)),
        _enum("SIDE_", _names(Side)),
        _enum("CALL_STATUS_", _names(CallStatus)),
        _enum("CALL_PRESENT_", _names(CallPresent)),
        _enum("AUTHENTICATION_", _names(Authentication)),
        _enum("AUTHENTICATED_", _names(Authenticated)),
        _enum("COMPRESSION_", _names(Compression)),
        _enum("COUNT_", {name.upper(): index for index, name in enumerate(COUNTERS)}),
        _enum(
            "",
            {
                "COUNTERS": len(COUNTERS),
                "CARRIERS": carriers.CARRIERS,
                "FIRST_IN_FRAMES": carriers.FIRST_IN_FRAMES,
                "RECORD_CHAIN": container.RECORD_CHAIN,
                "BLOCK_CHAIN": container.BLOCK_CHAIN,
                "CHAIN_SECONDS": container.CHAIN_SECONDS,
                "BACK_SECONDS": container.BACK_SECONDS,
                "STANDS_PACKETS": container.STANDS_PACKETS,
                "SECTION_HEADER_BLOCK": container.SECTION_HEADER_BLOCK,
                "INTERFACE_DESCRIPTION_BLOCK": container.INTERFACE_DESCRIPTION_BLOCK,
                "PACKET_BLOCK": container.PACKET_BLOCK,
                "SIMPLE_PACKET_BLOCK": container.SIMPLE_PACKET_BLOCK,
                "ENHANCED_PACKET_BLOCK": container.ENHANCED_PACKET_BLOCK,
                "PCAP_HEADER_SIZE": container.PCAP_HEADER_SIZE,
                "RECORD_HEADER_SIZE": container.RECORD_HEADER_SIZE,
                "PCAP_MICROSECONDS": container.MICROSECONDS,
                "PCAP_NANOSECONDS": container.NANOSECONDS,
                "PCAP_KUZNETZOV": container.KUZNETZOV,
                "ZERO_RUN": container.ZERO_RUN,
                "BYTE_ORDER_MAGIC": container.BYTE_ORDER_MAGIC,
                "OPTION_TIME_RESOLUTION": container.OPTION_TIME_RESOLUTION,
                "OPTION_TIME_OFFSET": container.OPTION_TIME_OFFSET,
                "MAGIC_COOKIE": control.MAGIC_COOKIE,
                "CONTROL_MESSAGE": control.CONTROL_MESSAGE,
                "HEADER_SIZE": control.HEADER_SIZE,
                "MAXIMUM_LENGTH": control.MAXIMUM_LENGTH,
                "LARGEST_MESSAGE": max(message.size for message in control.MESSAGES),
                "MESSAGE_TYPES": len(control.MESSAGES),
                "PIECE_COST": limits.PIECE_COST,
                "EXTENT_COST": limits.EXTENT_COST,
                "DATAGRAM_AGE_SECONDS": limits.DATAGRAM_AGE_NS // 10**9,
                "DATAGRAM_DISTANCE": limits.DATAGRAM_DISTANCE,
                "DATAGRAM_PACKETS": limits.DATAGRAM_PACKETS,
                "DATAGRAM_SPAN_SECONDS": limits.DATAGRAM_SPAN_NS // 10**9,
                "WINDOW": limits.WINDOW,
                "RESET_WINDOW": limits.RESET_WINDOW,
                "COPY_WINDOW": limits.COPY_WINDOW,
                "COPY_MILLISECONDS": limits.COPY_MILLISECONDS,
                "COPY_VANTAGES": limits.COPY_VANTAGES,
                "COPY_LOOKS": limits.COPY_LOOKS,
                "COPY_EVIDENCE": limits.COPY_EVIDENCE,
                "COPY_TIMES": limits.COPY_TIMES,
                "TIMED": calls.TIMED,
                "RANGES": calls.RANGES,
                "ECHOES": calls.ECHOES,
                "UNANSWERED": calls.UNANSWERED,
                "SILENCE_SECONDS": calls.SILENCE_NS // 10**9,
                "TEXT_WIDTH": calls.TEXT_WIDTH,
            },
        ),
        _enum("TYPE_", {message.name.upper(): message.code for message in control.MESSAGES}),
        _enum("LINK_", _numbers(link)),
        _sets("LINK_", link),
        _enum("IP_", _numbers(ip)),
        _sets("IP_", ip),
        _enum("TCP_", _numbers(tcp)),
        _enum(
            "GRE_",
            {
                name: getattr(gre, name)
                for name in (
                    "PROTOCOL_TYPE VERSION FIXED_SIZE KEY_PRESENT SEQUENCE_PRESENT ACKNOWLEDGMENT_PRESENT "
                    "FORBIDDEN VERSION_MASK CHECKSUM_PRESENT ROUTING_PRESENT RESERVED_BITS EOIP_FLAGS EOIP_TYPE "
                    "KEEPALIVE WCCP ERSPAN ERSPAN_III LEAST_SUBNET"
                ).split()
            },
        ),
        _enum("PPP_", _numbers(ppp)),
        _sets("PPP_", ppp),
        _enum("MPPE_", _numbers(mppe)),
        _caps(),
        _rows(),
    ]
    return "".join(parts).rstrip("\n") + "\n"


def main() -> int:
    """Write the file, or compare it."""
    assert np.dtype("datetime64[ns]").itemsize == 8
    text = render()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") != text:
            print(f"{TARGET.name} is not what wire says: run tools/generate_numbers.py", file=sys.stderr)
            return 1
        return 0
    if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
