"""No inner packet is made of octets of two datagrams, whatever is copied, lost, reordered or numbered alike.

Every datagram is filled with an octet of its own, which its Enhanced GRE header names too.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from random import Random

import pytest
from builder import CLIENT, CLIENT6, SERVER, SERVER6, Record, ethernet, fragment_header, gre, ipv4, ipv6, pcap
from helpers import ENGINES, MODULES, column, container_of, decode, drive, issues, same
from hypothesis import given
from hypothesis import strategies as st

from pptpcap.wire.limits import DEFAULT, Limits

pytestmark = pytest.mark.slow

START = 1_700_000_000_000_000
PORTS = (1723,)
# Few, so that parts of one datagram often fit another one.
BOUNDS = [(0, 8, 20), (0, 16, 41), (0, 16, 41), (0, 16, 32, 41), (0, 8, 16, 32, 41)]


def at(microseconds: int, frame: bytes, original: int) -> Record:
    seconds, fraction = divmod(START + microseconds, 1_000_000)
    return Record(frame, original=original, seconds=seconds, fraction=fraction)


def fragment(number: int, start: int, end: int, size: int, identification: int, six: bool) -> bytes:
    """Octets of datagram `number`, of `size` octets, in a frame."""
    payload = gre(bytes([number % 255 + 1]) * (size - 12), number & 0xFFFF, number)
    data, more = payload[start:end], end < size
    if six:
        return ethernet(ipv6(data, 47, CLIENT6, SERVER6, extensions=[fragment_header(start, more, identification)]))
    return ethernet(ipv4(data, 47, CLIENT, SERVER, identification=identification, offset=start, more=more))


def payloads(data: bytes, engine: str, limits: Limits) -> tuple[list[tuple[int, int, bytes]], list[tuple[int, int]]]:
    """Call id, sequence number and captured payload of each row of gre; packets of each datagram."""
    module = importlib.import_module(MODULES[engine])
    assembler = module.Assembler(PORTS, limits, payloads=True, members=True)
    assembler.begin_file()
    assembler.feed(module.scan_range(data, 24, len(data), container_of(data), PORTS, limits, payloads=True))
    rows = assembler.take()
    octets, found = rows["payloads"].tobytes(), []
    for row in rows["gre"]:
        found.append((int(row["call_id"]), int(row["sequence_number"]), octets[: row["available"]]))
        octets = octets[row["available"] :]
    assert not octets
    return found, rows["parts"].tolist()


def numbers(data: bytes, limits: Limits = DEFAULT) -> list[int]:
    """The datagrams that were found, in order, after a look at each octet of them: the same in both engines."""
    compiled, reference = (payloads(data, engine, limits) for engine in ENGINES)
    assert compiled == reference
    found, _ = compiled
    for call_id, sequence, octets in found:
        assert call_id == sequence & 0xFFFF
        assert set(octets) <= {sequence % 255 + 1}, (sequence, set(octets))
    return [sequence for _, sequence, _ in found]


@st.composite
def epochs(draw: st.DrawFn, snaps: bool) -> tuple[list[Record], list[int]]:
    """Frames, and the numbers of the datagrams that are all there.

    In an epoch, which takes milliseconds, no two datagrams have the same key.  Between epochs is more than a minute, the
    clock perhaps set back; or almost nothing, and then only keys of datagrams that were all there are used again.
    """
    frames: list[Record] = []
    whole: list[int] = []
    # Keys of which no fragment waits, in all epochs since the clock moved.
    broken: set[tuple[int, bool]] = set()
    minutes = iter(draw(st.permutations(range(0, 600, 61))))
    time = next(minutes) * 1_000_000
    number = 0
    for _ in range(draw(st.integers(1, 6))):
        if draw(st.booleans()):
            time, broken = next(minutes) * 1_000_000, set()
        keys = [(key, six) for key in range(3) for six in (False, True) if (key, six) not in broken]
        sent: list[tuple[float, bytes]] = []
        for key, six in draw(st.lists(st.sampled_from(keys), unique=True, max_size=5)) if keys else []:
            number += 1
            bounds = draw(st.sampled_from(BOUNDS))
            pieces = range(len(bounds) - 1)
            lost = draw(st.sampled_from([{*pieces[:-1]}, {*pieces[1:]}, {pieces[0]}, set(), set(), set()]))
            for index in pieces:
                frame = fragment(number, bounds[index], bounds[index + 1], bounds[-1], key, six)
                for _ in range(0 if index in lost else draw(st.sampled_from([1, 1, 2, 3]))):
                    sent.append((len(sent) + draw(st.sampled_from([0, 0, 2.5, 6.5])), frame))
            if lost:
                broken.add((key, six))
            else:
                whole.append(number)
        for _, frame in sorted(sent, key=lambda pair: pair[0]):
            cut = draw(st.integers(34, len(frame))) if snaps and draw(st.integers(0, 9)) == 0 else len(frame)
            frames.append(at(time, frame[:cut], len(frame)))
            time += draw(st.sampled_from([1, 1_000, 3_000]))
    return frames, whole


@given(made=epochs(snaps=False))
def test_each_datagram_is_found_once_and_alone(made):
    frames, whole = made
    assert sorted(numbers(pcap(frames))) == whole


@given(
    made=epochs(snaps=True),
    limits=st.builds(
        Limits,
        datagrams=st.sampled_from([1, 2, 1024]),
        fragments=st.sampled_from([1, 2, 1024]),
        remembered_octets=st.sampled_from([0, 300, 500, 4 << 20]),
    ),
    records=st.integers(1, 9),
)
def test_twins_of_cut_fragments_with_small_caps(made, limits, records):
    data = pcap(made[0])
    compiled, reference = (drive(data, engine, limits=limits) for engine in ENGINES)
    same(compiled, reference, "compiled and reference")
    for engine in ENGINES:
        same(drive(data, engine, limits=limits, records=records), compiled, f"{engine} {records}")


def shuffled(rng: Random, frames: Iterable[bytes], distance: int) -> list[bytes]:
    """The frames in an order in which none is moved by more than a distance."""
    places = [(number + rng.uniform(0, distance), frame) for number, frame in enumerate(frames)]
    return [frame for _, frame in sorted(places, key=lambda place: place[0])]


def halves(number: int, identification: int) -> list[bytes]:
    return [fragment(number, start, end, 60, identification, False) for start, end in ((0, 40), (40, 60))]


def test_random_identifications_seen_twice(engine):
    """6,000 datagrams in five minutes; more than a hundred have an identification of one of the last minute.

    The slow engine has the first third of them.
    """
    rng = Random(5)
    frames = []
    count = 6_000 if engine == "compiled" else 2_000
    for number in range(count):
        for index, half in enumerate(halves(number, rng.getrandbits(16))):
            frames += [at(50_000 * number + 20 * index + copy, half, len(half)) for copy in (0, 10)]
    got = decode(pcap(frames), engine)
    assert column(got, "gre", "sequence_number") == list(range(count))
    assert "IP" not in {layer for _, layer, *_ in issues(got)}
    assert got.counters["fragments_copied"] == 2 * count


@pytest.mark.parametrize("copies", [1, 2])
def test_identifications_of_a_fast_sender(copies):
    """They come again every second, fragments are lost, and others come late: what is found is found alone."""
    rng = Random(6)
    frames: list[bytes] = []
    whole = []
    for number in range(4_000):
        sent = [half for half in halves(number, number % 300) for _ in range(copies) if rng.random() > 0.05]
        if len({*sent}) == 2:
            whole.append(number)
        frames += sent
    frames = shuffled(rng, frames, 12)
    data = pcap([at(1_000 * place, frame, len(frame)) for place, frame in enumerate(frames)])
    assert sorted(numbers(data)) == whole
