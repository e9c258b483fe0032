"""Going on behind what is corrupt: where the walk is taken up again, what is said of it, and that it always ends alike."""

from __future__ import annotations

import gzip
import io
import struct
import tracemalloc

import numpy as np
import pytest
from builder import Record, echo, gre, gre_frame, pcap, pcap_header, stream
from commands import MSS88, call
from helpers import BUNDLED, column, only, same
from hypothesis import given
from hypothesis import strategies as st
from pcapng_builder import started
from walks import twins, walk

import pptpcap
from pptpcap.wire.status import Kind

pytestmark = pytest.mark.slow

FRAMES = [gre_frame(gre(b"\x00\x21" + bytes([number]) * number, sequence=number)) for number in range(1, 13)]
# Each record has 16 octets in front, and 14 + 20 + 12 + 2 + its number in octets behind.
START = 24


def place(number):
    """Where record `number`, from 0, of the capture of FRAMES starts."""
    return START + sum(16 + len(frame) for frame in FRAMES[:number])


def salvaged(data, engine="compiled", **more):
    return walk(data, engine, salvage=True, **more)


def told(found):
    """Kind, packet, offset, needed and had of the issues of the container."""
    rows = found["issues"][found["issues"]["layer"] == 1]
    return [
        (Kind(int(row["kind"])), *(int(row[name]) for name in ("packet", "record_offset", "needed", "had")))
        for row in rows
    ]


def with_length(number, length):
    """The capture in which record `number` claims a captured length."""
    data = bytearray(pcap(FRAMES))
    struct.pack_into("<I", data, place(number) + 8, length)
    return bytes(data)


def test_a_corrupt_length_costs_that_record(engine):
    data = with_length(3, 0xFFFFFFFF)
    stopped = walk(data, engine)
    assert len(stopped["gre"]) == 3
    found = salvaged(data, engine)
    assert column(found, "gre", "sequence_number") == [1, 2, 3, *range(5, 13)]
    # Packets are counted as they were walked.
    assert column(found, "gre", "packet") == list(range(1, 12))
    assert told(found) == [
        (Kind.CORRUPT_RECORD, 4, place(3), 262144, 0xFFFFFFFF),
        (Kind.SKIPPED_OCTETS, 4, place(3), place(4), place(4) - place(3)),
    ]
    assert found.damaged


def test_octets_put_in_between(engine):
    data = pcap(FRAMES)
    data = data[: place(5)] + b"\xff" * 7 + data[place(5) :]
    found = salvaged(data, engine)
    assert column(found, "gre", "sequence_number") == list(range(1, 13))
    assert told(found)[1] == (Kind.SKIPPED_OCTETS, 6, place(5), place(5) + 7, 7)


def test_octets_taken_out(engine):
    data = pcap(FRAMES)
    data = data[: place(5) + 4] + data[place(5) + 9 :]
    found = salvaged(data, engine)
    assert column(found, "gre", "sequence_number") == [1, 2, 3, 4, 5, *range(7, 13)]


def test_a_record_that_reaches_behind_the_end(engine):
    """It looks cut, and is not."""
    data = with_length(2, 200_000)
    found = salvaged(data, engine)
    assert column(found, "gre", "sequence_number") == [1, 2, *range(4, 13)]
    assert told(found)[0] == (Kind.TRUNCATED_RECORD, 3, place(2), 200_016, len(data) - place(2))


def test_a_capture_that_is_merely_cut_gives_what_it_gives(engine):
    data = pcap(FRAMES)[:-3]
    one, other = walk(data, engine), salvaged(data, engine)
    assert column(other, "gre", "packet") == column(one, "gre", "packet")
    left = len(data) - place(11)
    assert told(other) == [
        (Kind.TRUNCATED_RECORD, 12, place(11), left + 3, left),
        (Kind.SKIPPED_OCTETS, 12, place(11), len(data), left),
    ]


def test_no_cut_makes_a_record(engine):
    """Octets of a record that is cut may read as a record that ends where the file ends."""
    data = pcap(FRAMES[:4])
    for end in range(place(2), len(data)):
        one, other = walk(data[:end], engine), salvaged(data[:end], engine)
        assert other.counters == one.counters
        assert [row for row in told(other) if row[0] != Kind.SKIPPED_OCTETS] == told(one)


def test_several_places(engine):
    data = bytearray(pcap(FRAMES))
    for number in (2, 7):
        struct.pack_into("<I", data, place(number) + 8, 0x80000000)
    found = salvaged(bytes(data), engine)
    assert column(found, "gre", "sequence_number") == [1, 2, 4, 5, 6, 7, *range(9, 13)]
    assert [kind for kind, *_ in told(found)] == [Kind.CORRUPT_RECORD, Kind.SKIPPED_OCTETS] * 2


@pytest.mark.parametrize(
    ("records", "rest", "believed"),
    [
        (FRAMES[:4], b"", True),
        (FRAMES[:3], b"", True),
        (FRAMES[:2], b"", True),
        (FRAMES[:1], b"", False),
        (FRAMES[:2], b"\x01", True),
        (FRAMES[:1], b"\x01", False),
        (FRAMES[:3], bytes(40), False),
        (FRAMES[:4], bytes(40), True),
    ],
)
def test_how_many_records_are_believed(engine, records, rest, believed):
    """Four in a row; fewer only where the file ends behind them."""
    lost = b"\xff" * 33
    data = pcap_header() + lost + pcap(records)[START:] + rest
    found = salvaged(data, engine)
    assert len(found["gre"]) == (len(records) if believed else 0)


@pytest.mark.parametrize(
    "odd",
    [
        Record(b"", captured=0, original=9),
        Record(FRAMES[0], original=len(FRAMES[0]) - 1),
        Record(FRAMES[0], original=262_145),
        Record(FRAMES[0], fraction=1_000_000),
        Record(FRAMES[0], seconds=1_600_000_000 + 86_410),
    ],
    ids=["nothing captured", "more captured than there was", "too long", "fraction", "another day"],
)
def test_what_breaks_a_chain(engine, odd):
    """Behind the corrupt octets a chain of the odd record and three more is not believed, one behind it is."""
    good = [*FRAMES[:3], odd, *FRAMES[3:8]]
    data = pcap_header() + b"\xff" * 20 + pcap(good)[START:]
    found = salvaged(data, engine)
    assert column(found, "gre", "sequence_number") == [4, 5, 6, 7, 8]


def test_a_stream_goes_on_behind_the_hole(engine):
    """What was in the octets that were passed over is a gap of the stream like any other."""
    data = stream(*(echo(number) for number in range(1, 9)))
    at = START
    for _ in range(4):
        at += 16 + int.from_bytes(data[at + 8 : at + 12], "little")
    found = salvaged(data[: at + 8] + b"\xff\xff\xff\xff" + data[at + 12 :], engine)
    # Three packets open the connection; the fifth holds the second echo.
    assert column(found, "echo_request", "identifier") == [1, 3, 4, 5, 6, 7, 8]
    assert column(found, "connections", "initiator_gaps") == [1]


# ---- pcapng


@pytest.mark.parametrize("order", "<>")
def test_a_block_with_another_trailer(engine, order):
    file = started(order).packets(*FRAMES)
    data = bytearray(file.octets)
    at = file.offset(5)
    struct.pack_into(order + "I", data, file.offset(6) - 4, 12345)
    found = salvaged(bytes(data), engine)
    assert column(found, "gre", "sequence_number") == [1, 2, 3, *range(5, 13)]
    assert told(found)[1] == (Kind.SKIPPED_OCTETS, 4, at, file.offset(6), file.offset(6) - at)


@pytest.mark.parametrize("order", "<>")
def test_a_block_with_another_length(engine, order):
    for length in (0, 7, 0x7FFFFFFC, 0xFFFFFFFC, 16_000_000):
        file = started(order).packets(*FRAMES)
        data = bytearray(file.octets)
        struct.pack_into(order + "I", data, file.offset(4) + 4, length)
        assert column(salvaged(bytes(data), engine), "gre", "sequence_number") == [1, 2, *range(4, 13)]


def test_a_section_in_the_other_byte_order_is_found(engine):
    first = started("<").packets(*FRAMES[:3])
    second = started(">").packets(*FRAMES[3:6])
    found = salvaged(first.octets + b"\xff" * 21 + second.octets, engine)
    assert column(found, "gre", "sequence_number") == [1, 2, 3, 4, 5, 6]


def test_an_interface_that_was_passed_over_is_told(engine):
    two = started("<").packets(*FRAMES[:2])
    data = bytearray(two.octets)
    struct.pack_into("<I", data, two.offset(1) + 4, 3)
    found = salvaged(bytes(data), engine)
    assert [kind for kind, *_ in told(found)] == [
        Kind.CORRUPT_BLOCK,
        Kind.SKIPPED_OCTETS,
        Kind.UNKNOWN_INTERFACE,
        Kind.UNKNOWN_INTERFACE,
    ]
    only(found, unsupported_link=2)


def test_a_section_of_another_version(engine):
    first = started("<").packets(*FRAMES[:2])
    other = started("<")
    data = first.octets + other.octets[:12] + b"\x09\x00" + other.octets[14:] + first.octets
    assert column(salvaged(data, engine), "gre", "sequence_number") == [1, 2, 1, 2]


# ---- the law of the split

CAPTURES = [
    with_length(3, 0xFFFFFFFF),
    with_length(2, 200_000),
    pcap(FRAMES)[: place(5)] + b"\xff" * 700 + pcap(FRAMES)[place(5) :],
    pcap(FRAMES)[:-3],
    started("<").packets(*FRAMES[:3]).octets + bytes(99) + started(">").packets(*FRAMES).octets[:-5],
]


@pytest.mark.parametrize("number", range(len(CAPTURES)))
def test_ranges_windows_and_batches_change_nothing(number):
    data = CAPTURES[number]
    whole = twins(data, salvage=True)
    for more in ({"window": 30}, {"window": 97}, {"records": 1}, {"stops": range(0, len(data), 13)}):
        for engine in ("compiled", "reference"):
            same(whole, salvaged(data, engine, **more), f"{engine} {more}")


@pytest.mark.parametrize("number", range(len(CAPTURES)))
def test_containers_change_nothing(number, tmp_path, engine):
    data = CAPTURES[number]
    path = tmp_path / "a.pcap"
    path.write_bytes(data)
    whole = salvaged(data, engine)
    for source in (path, data, io.BytesIO(data), gzip.compress(data)):
        capture = pptpcap.read(source, engine=engine, on_corrupt="salvage")
        assert capture.summary.damaged
        for name in capture:
            assert np.array_equal(capture[name].view("u1"), whole[name].view("u1")), name


def test_files_behind_a_salvaged_one_go_on(engine):
    data = with_length(3, 0xFFFFFFFF)
    capture = pptpcap.read([data, pcap(FRAMES), data], engine=engine, on_corrupt="salvage")
    assert len(capture.gre) == 11 + 12 + 11
    assert [file.damaged for file in capture.summary.files] == [True, False, True]


@given(st.sampled_from(BUNDLED), st.data())
def test_twins_and_splits_on_damage_at_random(path, draw):
    data = bytearray(path.read_bytes())
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(24, len(data) - 1))
        octets = draw.draw(st.binary(min_size=0, max_size=40))
        data[at : at + draw.draw(st.integers(0, 40))] = octets
    whole = twins(bytes(data), salvage=True)
    window = draw.draw(st.integers(16, 4000))
    same(whole, salvaged(bytes(data), "compiled", window=window), f"window {window}")


# ---- hostile


def test_garbage_is_walked_once_in_flat_memory():
    """A file that is plausible nowhere, and one that is nearly plausible everywhere."""
    headers = struct.pack("<IIII", 1_600_000_000, 0, 1, 1) + b"\0"
    for filling in (b"\xff", headers * 3 + b"\xff" * 7):
        data = pcap_header() + b"\xff" * 16 + filling * (4_000_000 // len(filling)) + b"\xff" * 99
        tracemalloc.start()
        capture = pptpcap.read(data, on_corrupt="salvage")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert capture.summary.packets == 0
        assert peak < 1 << 20


# ---- the command line, and the modified header


def test_the_commands_salvage(tmp_path):
    path = tmp_path / "a.pcap"
    octets = bytearray(MSS88.read_bytes())
    struct.pack_into("<I", octets, 24 + 8, 0xFFFFFFFF)
    path.write_bytes(octets)
    code, out, err = call("messages", path)
    assert (code, out) == (3, "")
    code, out, err = call("messages", "--salvage", path)
    assert code == 3
    assert len(out.splitlines()) == 17
    assert "octets were skipped, the walk continues at offset" in err
    code, out, _ = call("info", "--salvage", path)
    assert code == 3
    assert "CONTAINER SKIPPED_OCTETS" in out


def test_the_commands_name_a_hundred_places(tmp_path):
    path = tmp_path / "a.pcap"
    unit = pcap([*FRAMES[:4], Record(b"", captured=0xFFFFFFFF)])[START:]
    path.write_bytes(pcap_header() + unit * 300)
    code, _, err = call("info", "--salvage", path)
    assert code == 3
    lines = err.splitlines()
    assert len(lines) == 101
    assert lines[-1] == "pptpcap: and 500 more such places"


@pytest.mark.parametrize("order", "<>")
def test_the_modified_header_has_eight_octets_more(engine, order):
    plain = pcap(FRAMES, order=order)
    parts, at = [struct.pack(order + "I", 0xA1B2CD34) + plain[4:24]], 24
    for frame in FRAMES:
        parts += [plain[at : at + 16], b"\x01\x02\x03\x04\x05\x06\x07\x08", frame]
        at += 16 + len(frame)
    data = b"".join(parts)
    found, expected = pptpcap.read(data, engine=engine), pptpcap.read(plain, engine=engine)
    for name in ("time", "packet", "sequence_number", "ppp_protocol", "available"):
        assert column(found, "gre", name) == column(expected, "gre", name)
    assert column(found, "gre", "record_offset")[1] == 24 + 24 + len(FRAMES[0])
    for cut in range(25, len(data)):
        summary = pptpcap.read(data[:cut], engine="compiled").summary
        assert summary.damaged == (cut not in {24 + 24 * n + sum(map(len, FRAMES[:n])) for n in range(13)})
