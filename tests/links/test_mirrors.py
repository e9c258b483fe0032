"""Whole captures wrapped in mirrors and overlays: the rows are those of the capture without them."""

from __future__ import annotations

import importlib
from functools import cache
from itertools import product

import numpy as np
import pytest
from captures import WALKED, lab
from helpers import MODULES, Decoded, column, decode, difference, drive, issues, kinds, names_of, only, same
from numpy.lib.recfunctions import repack_fields
from mirror_builder import (
    FRAMES,
    PACKETS,
    WIRELESS,
    Stored,
    fragmented,
    ip_length,
    jmirror,
    link,
    outer,
    records,
    stored,
    udp,
    vxlan,
    wrap_frame,
    wrap_packet,
    wrapped,
)
from places import CAPTURES
from walks import twins, walk

from pptpcap.schema import TABLE_NAMES
from pptpcap.wire.carriers import Carrier
from pptpcap.wire.limits import Limits
from pptpcap.wire.status import GreStatus, MessageStatus

FOUND = CAPTURES / "found"
# Where rows of a capture that is wrapped may differ: in places of the file, and in what it came through.
OWN = {"record_offset", "vlan", "inner_vlan", "carrier", "network_id"}
OCTETS = {"captured_octets", "original_octets"}
KINDS = {name: (wrap, wrap_frame) for name, wrap in FRAMES.items()} | {
    name: (wrap, wrap_packet) for name, wrap in PACKETS.items()
}


@cache
def plain(name: str) -> bytes:
    """A capture, of the lab or one that was found."""
    path = FOUND / name
    return (path if path.exists() else lab(name)).read_bytes()


def is_ethernet(name: str) -> bool:
    data = plain(name)
    return data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") and data[20:22] == b"\1\0"


SMALL = "base.pcap"
# Small, and with all that there is in a lab: each is wrapped in all kinds.
SEVERAL = (SMALL, "mss88.pcap", "gre_ipfrag_mtu576.pcap", "pap_plain_snaplen96.pcap", "ipip_outer_eth.pcap")
LAB = [name for name in WALKED if is_ethernet(name) and "truncated" not in name]


def same_but_around(one: Decoded, other: Decoded, what: str = "") -> None:
    """All rows and counters, but for what says where they were."""
    for name in TABLE_NAMES:
        left, right = (repack_fields(found[name][[*shared(found[name])]]) for found in (one, other))
        if left.tobytes() != right.tobytes():
            raise AssertionError(f"{what}: table {name} differs\n{difference(left, right)}")
    counters = ({name: n for name, n in found.counters.items() if name not in OCTETS} for found in (one, other))
    assert next(counters) == next(counters), what
    assert (one.earliest, one.latest) == (other.earliest, other.latest)


def shared(table: np.ndarray) -> tuple[str, ...]:
    """The columns that are equal."""
    return tuple(column for column in names_of(table) if column not in OWN)


@cache
def rows_of(name: str, engine: str) -> Decoded:
    return decode(plain(name), engine)


# ---- captures that were found


@pytest.mark.parametrize("path", sorted(FOUND.glob("tunnel_*.pcap")), ids=lambda path: path.stem)
def test_captures_that_were_found(engine, path):
    got = decode(path.read_bytes(), engine, mirrors={"jmirror": 30030})
    base = rows_of(SMALL, engine)
    if "erspan" in path.stem or "vxlan" in path.stem or "teb" in path.stem or "tzsp" in path.stem:
        assert set(column(got, "tunnels", "vlan")) in ({-1}, {10}, {100})
    same_but_around(got, base)


# ---- captures of the lab


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(engine, kind):
    wrap, one = KINDS[kind]
    name = SMALL if engine == "reference" else None
    for capture in (name,) if name else SEVERAL:
        got = decode(wrapped(plain(capture), wrap, one), engine)
        same_but_around(got, rows_of(capture, engine), f"{kind}, {capture}")


@pytest.mark.parametrize("capture", LAB)
def test_each_capture(capture):
    """In three kinds that differ from capture to capture, by both engines."""
    first = LAB.index(capture)
    for offset in (0, 11, 23):
        kind = sorted(KINDS)[(first + offset) % len(KINDS)]
        data = wrapped(plain(capture), *KINDS[kind])
        same_but_around(decode(data, "compiled"), rows_of(capture, "compiled"), kind)
        if offset == 0 and len(data) < 200_000:
            same(decode(data, "compiled"), decode(data, "reference"), kind)
