"""Every capture of the lab in every mirror, tag and link header, and in two of them: the rows are those of the capture.

A kind wraps a whole frame, or an IP packet without its link header and its tags.  So the rows are compared with those
of one of two files, which a reader of the tests makes of a capture of any format and link type:

* frames: all packets, in Ethernet
* packets: those of IP alone, all behind the same Ethernet header

The first test compares these with the capture itself.
"""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from functools import cache
from itertools import product
from typing import NamedTuple

import pytest
from builder import ethernet
from captures import PACKED, lab
from helpers import Decoded, EngineName, decode, issues, names_of, same, same_but_around, without_own
from mirror_builder import FRAMES, NAMED, NAMES, PACKETS, WIRELESS, Stored, Wrap, link, stored
from plain_reader import HEAD, as_ethernet, as_packet, frames
from tag_builder import AROUND, KINDS
from walks import walk

pytestmark = pytest.mark.slow

# The same packets in other formats: of these the frames are compared, and no more.
DERIVED = {
    "fmt_nsec.editcap.pcapng": "fmt_nsec.pcap",
    **dict.fromkeys(
        ("fmt_usec.bigendian.pcap", "fmt_usec.editcap.pcapng", "fmt_usec.pcap.gz", "fmt_usec.snoop"), "fmt_usec.pcap"
    ),
}
SIZES = {
    path.name.removesuffix(".xz"): path.stat().st_size for path in PACKED.glob("*.xz") if ".ref.json" not in path.name
}
LAB = sorted(SIZES.keys() - DERIVED.keys())
SMALL = [capture for capture in LAB if SIZES[capture] < 8000]


class Kind(NamedTuple):
    """What wraps a frame, or a packet of IP, and gives a packet of IP, or if it has a link type a frame of it."""

    takes_frames: bool
    wrap: Wrap
    link: int | None = None


def in_ethernet(wrap: Wrap) -> Wrap:
    return lambda packet: wrap(ethernet(packet))


MIRRORS = (
    {name: Kind(True, wrap) for name, wrap in FRAMES.items()}
    | {name: Kind(False, wrap) for name, wrap in (PACKETS | NAMED).items()}
    # 802.11, into which IP in Ethernet is changed
    | {name: Kind(False, in_ethernet(wrap)) for name, wrap in WIRELESS.items()}
)
TAGS = {name: Kind(False, wrap, kind) for name, (kind, wrap) in KINDS.items()} | {
    f"{name} around": Kind(True, wrap, kind)
    for name, (kind, wrap) in AROUND.items()
    # The tags stand inside the frame.
    if name not in ("vn_tag", "macsec")
}
ALL = MIRRORS | TAGS


def nested(outer: Kind, inner: Kind) -> Kind | None:
    """One in the other; None where the inner one gives a frame, and the outer one takes a packet."""
    if inner.link is not None and not (inner.link == 1 and outer.takes_frames):
        return None
    between: Wrap = link if outer.takes_frames and inner.link is None else bytes
    return Kind(inner.takes_frames, lambda octets: outer.wrap(between(inner.wrap(octets))), outer.link)


def pairs(inner: dict[str, Kind], outer: dict[str, Kind]) -> dict[str, Kind]:
    several = ((f"{one} in {other}", nested(outer[other], inner[one])) for one, other in product(inner, outer))
    return {name: kind for name, kind in several if kind}


# Those of two mirrors, and of a mirror and a tag, in either order.
PAIRS = pairs(MIRRORS, MIRRORS)
OTHER_PAIRS = pairs(MIRRORS, TAGS) | pairs(TAGS, MIRRORS)
# These have a length in front of IP, so packets of each length were seen at a vantage of their own (decoding 4b.2), which
# showed few of them.  Of the capture that holds most packets twice, fewer copies are told then; all else is the same.
WITH_LENGTH = re.compile("hsr|nflog|erf|docsis|aggregate")
TWO_PLACES = "loss5_reorder_dup.merged_both_ends.pcapng"


# ---- files


@cache
def whole_frames(capture: str) -> list[Stored]:
    return [as_ethernet(*frame) for frame in frames(lab(capture).read_bytes())]


@cache
def ip_packets(capture: str) -> list[Stored]:
    return [packet for packet in map(as_packet, whole_frames(capture)) if packet]


@cache
def plain(capture: str, engine: EngineName, *, of_frames: bool) -> Decoded:
    """What came out of the file of frames, or of that of packets, but for what says where it was."""
    several = whole_frames(capture) if of_frames else ip_packets(capture)
    data = stored(HEAD, several) if of_frames else wrapped(several, Kind(False, ethernet, 1))
    return without_own(decode(data, engine))


def wrapped(several: list[Stored], kind: Kind) -> bytes:
    """A file of them, each wrapped; what a snap length cut off is cut off again."""
    wrap = kind.wrap if kind.link is not None else lambda octets: link(kind.wrap(octets))
    # What stands in front and behind depends on the lengths, and of a packet on its version.
    known: dict[tuple[int, int, int], tuple[bytes, bytes]] = {}
    parts = [HEAD[:20], struct.pack("<I", 1 if kind.link is None else kind.link)]
    for record in several:
        octets = record.octets
        key = record.on_wire, len(octets), -1 if kind.takes_frames else octets[0]
        if key not in known:
            missing = record.on_wire - len(octets)
            before, around, behind = wrap(octets + bytes(missing)).partition(octets + bytes(missing))
            assert around
            size = len(before) + record.on_wire + len(behind)
            if missing:
                behind = b""
            known[key] = struct.pack("<II", len(before) + len(octets) + len(behind), size) + before, behind
        before, behind = known[key]
        parts += record.time, before, octets, behind
    return b"".join(parts)


def is_right(capture: str, name: str, kind: Kind, engine: EngineName) -> None:
    several = whole_frames(capture) if kind.takes_frames else ip_packets(capture)
    got = without_own(decode(wrapped(several, kind), engine, mirrors=NAMES))
    expected = plain(capture, engine, of_frames=kind.takes_frames)
    if capture == TWO_PLACES and WITH_LENGTH.search(name):
        assert got.counters["copies"] < expected.counters["copies"]
        got, expected = without_copies(got), without_copies(expected)
    same(got, expected, name)


def without_copies(decoded: Decoded) -> Decoded:
    tables = {name: table.copy() for name, table in decoded.tables.items()}
    for table in tables.values():
        for column in names_of(table):
            if "copies" in column:
                table[column] = 0
    return replace(decoded, tables=tables, counters=decoded.counters | {"copies": 0})


# ---- tests


@pytest.mark.parametrize("capture", sorted(SIZES))
def test_a_capture_and_its_files(capture):
    """They have the same rows, but for a record that the end of the file cuts, which is in none of them."""
    itself, whole = decode(lab(capture), "compiled"), plain(capture, "compiled", of_frames=True)
    if "truncated" in capture:
        assert itself.damaged
        assert issues(itself)[len(issues(whole)) :] == [(294, "CONTAINER", "TRUNCATED_RECORD", 1530, 194)]
        tables = itself.tables | {"issues": itself["issues"][: len(issues(whole))]}
        itself = replace(itself, tables=tables, damaged=False)
    same_but_around(whole, itself)
    if capture in DERIVED:
        assert whole_frames(capture) == whole_frames(DERIVED[capture])
    of_ip = [frame for frame in whole_frames(capture) if as_packet(frame)]
    same(plain(capture, "compiled", of_frames=False), without_own(decode(stored(HEAD, of_ip), "compiled")))


@pytest.mark.parametrize("capture", LAB)
def test_each_kind(capture):
    for name, kind in ALL.items():
        is_right(capture, name, kind, "compiled")


@pytest.mark.parametrize("capture", SMALL)
def test_each_kind_by_the_reference(capture):
    """A few kinds of each capture, and all in all captures."""
    for name in [*ALL][SMALL.index(capture) % 20 :: 20]:
        is_right(capture, name, ALL[name], "reference")


@pytest.mark.parametrize("capture", [capture for capture in LAB if capture != TWO_PLACES])
def test_two_kinds(capture):
    """Each pair of mirrors around one small capture, and a fourth of the others; a few of them around a large one."""
    several, step = (SMALL, len(SMALL)) if capture in SMALL else (LAB, 499)
    first = several.index(capture)
    for name, kind in [*[*PAIRS.items()][first::step], *[*OTHER_PAIRS.items()][first :: 4 * step]]:
        is_right(capture, name, kind, "compiled")


@pytest.mark.parametrize("capture", LAB)
def test_law_of_the_split(capture):
    several = [name for name in ALL if name not in NAMED]
    for number, size in enumerate((1, 7) if capture in SMALL else (100, 997)):
        kind = ALL[several[(LAB.index(capture) + number * len(LAB)) % len(several)]]
        data = wrapped(whole_frames(capture) if kind.takes_frames else ip_packets(capture), kind)
        whole = walk(data, "compiled")
        same(walk(data, "compiled", records=size), whole)
        same(walk(data, "compiled", stops=range(100, len(data), len(data) // 7)), whole)
        same(walk(data, "compiled", window=1000 * size), whole)
