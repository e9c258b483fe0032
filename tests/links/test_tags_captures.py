"""Whole captures in each tag, frame and link header, and in two of them: the rows are those of the capture without."""

from __future__ import annotations

from functools import cache

import pytest
from captures import lab
from helpers import Decoded, EngineName, decode, same, same_but_around
from mirror_builder import Stored, records, stored
from places import CAPTURES
from tag_builder import AROUND, KINDS, around, rewrapped
from walks import walk

FOUND = CAPTURES / "found"
SMALL = "base.pcap"


@cache
def packets(name: str) -> tuple[bytes, list[Stored]]:
    """The head and the IP packets of a capture of Ethernet."""
    path = FOUND / name
    data = (path if path.exists() else lab(name)).read_bytes()
    assert data[20:22] == b"\1\0"
    return data[:24], [record for record in records(data) if record.octets[12:14] in (b"\x08\0", b"\x86\xdd")]


@cache
def plain(name: str, engine: EngineName) -> Decoded:
    return decode(stored(*packets(name)), engine)


def wrapped(name: str, kind: str) -> bytes:
    head, all_records = packets(name)
    link, wrap = KINDS[kind]
    changed = [rewrapped(head, record, link, wrap) for record in all_records]
    return stored(changed[0][0], [record for _, record in changed])


@pytest.mark.parametrize(
    "path", sorted([*FOUND.glob("l2_*.pcap"), *FOUND.glob("link_*.pcap")]), ids=lambda path: path.stem
)
def test_captures_that_were_found(engine, path):
    same_but_around(decode(path.read_bytes(), engine), plain(SMALL, engine))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(engine, kind):
    same_but_around(decode(wrapped(SMALL, kind), engine), plain(SMALL, engine), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_law_of_the_split(engine, kind):
    data = wrapped(SMALL, kind)
    whole = walk(data, engine)
    for more in ({"records": 1}, {"records": 7}, {"window": 97}, {"stops": range(100, len(data), 331)}):
        same(walk(data, engine, **more), whole, f"{kind}, {more}")


@pytest.mark.parametrize("outermost", AROUND)
def test_two_kinds(outermost):
    """Each kind of frame inside each, by both engines."""
    head, all_records = packets(SMALL)
    link, wrap = AROUND[outermost]
    for inner, (inner_link, inner_wrap) in AROUND.items():
        if inner_link != 1:
            continue
        changed = [around(head, around(head, record, 1, inner_wrap)[1], link, wrap) for record in all_records]
        data = stored(changed[0][0], [record for _, record in changed])
        for engine in ("compiled", "reference") if inner in ("pbb", "pseudowire") else ("compiled",):
            same_but_around(decode(data, engine), plain(SMALL, engine), f"{inner} in {outermost}")


@pytest.mark.parametrize("kind", AROUND)
def test_copies_are_told_as_without(engine, kind):
    """What is in front of IP tells vantages apart, the frame inside included."""
    head, all_records = packets("span_dup.pcap")
    base = plain("span_dup.pcap", engine)
    assert base.counters["copies"] == 37
    link, wrap = AROUND[kind]
    changed = [around(head, record, link, wrap) for record in all_records]
    same_but_around(decode(stored(changed[0][0], [record for _, record in changed]), engine), base, kind)
