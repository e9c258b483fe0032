"""Write ``core/numbers.pxd``: every number and row layout that Cython needs, from ``wire``.

Knows the names that the core uses, no meaning of its own.  Run by ``make generate``; with ``--check``
(run by ``make check``) it writes nothing and fails where the file that is checked in differs.
"""

from __future__ import annotations

import sys
from enum import IntEnum
from pathlib import Path

import numpy as np

from pptpcap import schema
from pptpcap.engine import COUNTERS
from pptpcap.wire import container, control, gre, limits, link
from pptpcap.wire.status import End, GreStatus, Kind, Layer, MessageStatus, Present

TARGET = Path(__file__).parent.parent / "src" / "pptpcap" / "core" / "numbers.pxd"

HEAD = '''"""Numbers and row layouts, generated from ``wire`` by ``tools/generate_numbers.py``: do not edit."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

'''

ROWS = {
    "messages": "MessageRow",
    "gre": "GreRow",
    "connections": "ConnectionRow",
    "tunnels": "TunnelRow",
    "issues": "IssueRow",
}

LINKS = (
    "NULL ETHERNET RAW_OPENBSD RAW_BSDOS RAW LOOP LINUX_SLL IPV4 IPV6 LINUX_SLL2 PPP PPP_HDLC PPP_ETHER C_HDLC "
    "IEEE802_11 RADIOTAP PPP_WITH_DIRECTION"
).split()

C_TYPES = {
    "int32": "int32_t",
    "int64": "int64_t",
    "uint8": "uint8_t",
    "uint16": "uint16_t",
    "uint32": "uint32_t",
    "uint64": "uint64_t",
    "bool": "uint8_t",
    "datetime64[ns]": "int64_t",
}


def _enum(prefix: str, numbers: dict[str, int]) -> str:
    lines = "".join(f"    {prefix}{name} = {number}\n" for name, number in numbers.items())
    return f"cdef enum:\n{lines}\n"


def _names(enum: type[IntEnum] | type[MessageStatus] | type[GreStatus] | type[Present]) -> dict[str, int]:
    return {str(member.name): int(member) for member in enum}


def _struct(name: str, lines: list[str]) -> str:
    return f"cdef packed struct {name}:\n{''.join(lines)}\n"


def _row(table: str, name: str) -> str:
    """A packed struct; the two equal sides of a connection become an array of two ``SideRow``."""
    dtype = schema.dtype(table)
    lines: list[str] = []
    side: list[str] = []
    for column in dtype.names or ():
        base, shape = dtype[column].base, dtype[column].shape
        c_type = "uint8_t" if base.kind == "S" else C_TYPES[str(base)]
        size = base.itemsize if base.kind == "S" else shape[0] if shape else 0
        dimension = f"[{size}]" if size else ""
        prefix, _, rest = column.partition("_")
        if prefix in ("initiator", "responder") and rest not in ("address", "port"):
            if prefix == "initiator":
                if not side:
                    lines.append("    SideRow side[2]\n")
                side.append(f"    {c_type} {rest}{dimension}\n")
            continue
        lines.append(f"    {c_type} {column}{dimension}\n")
    return (_struct("SideRow", side) if side else "") + _struct(name, lines)


def render() -> str:
    """The text of the generated file."""
    parts = [
        HEAD,
        _enum("MESSAGE_", _names(MessageStatus)),
        _enum("GRE_", _names(GreStatus)),
        _enum("LAYER_", _names(Layer)),
        _enum("KIND_", _names(Kind)),
        _enum("END_", _names(End)),
        _enum("PRESENT_", _names(Present)),
        _enum("COUNT_", {name.upper(): index for index, name in enumerate(COUNTERS)}),
        _enum(
            "",
            {
                "COUNTERS": len(COUNTERS),
                "RECORD_CHAIN": container.RECORD_CHAIN,
                "BLOCK_CHAIN": container.BLOCK_CHAIN,
                "CHAIN_SECONDS": container.CHAIN_SECONDS,
                "SECTION_HEADER_BLOCK": container.SECTION_HEADER_BLOCK,
                "INTERFACE_DESCRIPTION_BLOCK": container.INTERFACE_DESCRIPTION_BLOCK,
                "PACKET_BLOCK": container.PACKET_BLOCK,
                "SIMPLE_PACKET_BLOCK": container.SIMPLE_PACKET_BLOCK,
                "ENHANCED_PACKET_BLOCK": container.ENHANCED_PACKET_BLOCK,
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
                "WINDOW": limits.WINDOW,
                "RESET_WINDOW": limits.RESET_WINDOW,
            },
        ),
        _enum(
            "LINK_",
            {name: getattr(link, name) for name in LINKS},
        ),
        _enum(
            "GRE_",
            {
                name: getattr(gre, name)
                for name in (
                    "PROTOCOL_TYPE VERSION FIXED_SIZE KEY_PRESENT SEQUENCE_PRESENT ACKNOWLEDGMENT_PRESENT "
                    "FORBIDDEN VERSION_MASK"
                ).split()
            },
        ),
        *(_row(table, name) for table, name in ROWS.items()),
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
