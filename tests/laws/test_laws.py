"""Laws of streams: however the octets were cut, ordered, repeated and overlapped, the messages are the same."""

from __future__ import annotations

import numpy as np
from builder import Conversation, control, time_of
from helpers import ENGINES, TYPES, Decoded, consistent, drive, issues, names_of, nanoseconds, statuses
from hypothesis import given
from hypothesis import strategies as st

# Octets behind the header, by control message type; from the specification's list of lengths.
BODIES = [144, 144, 4, 4, 4, 8, 156, 20, 208, 12, 16, 4, 136, 28, 12]


@st.composite
def messages(draw, most: int = 8) -> list[bytes]:
    """Whole messages of any type with any content."""
    kinds = draw(st.lists(st.integers(1, 15), min_size=1, max_size=most))
    return [control(kind, draw(st.binary(min_size=BODIES[kind - 1], max_size=BODIES[kind - 1]))) for kind in kinds]


def bounds(parts: list[bytes]) -> list[tuple[int, int]]:
    ends = np.cumsum([len(part) for part in parts]).tolist()
    return list(zip([0, *ends[:-1]], ends, strict=True))


@st.composite
def schedule(draw, octets: int) -> list[tuple[int, int]]:
    """Segments, as start and end, that hold all octets at least once, in any order."""
    cuts = sorted(draw(st.sets(st.integers(1, octets - 1), max_size=40)))
    segments = list(zip([0, *cuts], [*cuts, octets], strict=True))
    for _ in range(draw(st.integers(0, 15))):
        start = draw(st.integers(0, octets - 1))
        segments.append((start, draw(st.integers(start + 1, min(octets, start + 400)))))
    shuffled: list[tuple[int, int]] = draw(st.permutations(segments))
    return shuffled


def one_a_segment(parts: list[bytes]) -> bytes:
    talk = Conversation().handshake()
    for (start, _), part in zip(bounds(parts), parts, strict=True):
        talk.client(start, part)
    return talk.pcap()


def same_messages(got: Decoded, plain: Decoded) -> None:
    """All but packets, times and numbers of segments."""
    columns = [
        name for name in names_of(plain["messages"]) if name not in ("time", "packet", "record_offset", "segments")
    ]
    for name in columns:
        assert got["messages"][name].tolist() == plain["messages"][name].tolist(), name
    for table in TYPES:
        assert got[table].tobytes() == plain[table].tobytes(), table


@given(data=st.data())
def test_any_segmentation_order_duplication_and_overlap(data):
    """Packet and number of segments of each message, too, follow from which segment brought which octet first."""
    parts = data.draw(messages())
    stream = b"".join(parts)
    order = data.draw(schedule(len(stream)))
    isn = data.draw(st.sampled_from([0, 1000, 2**31 - 300, 2**32 - 300]))
    talk = Conversation(isn=(isn, 5000)).handshake()
    brought = np.zeros(len(stream), dtype=int)
    retransmitted = out_of_order = 0
    for packet, (start, end) in enumerate(order, 4):
        talk.client(start, stream[start:end])
        contiguous = len(stream) if brought.all() else int(np.argmin(brought != 0))
        highest = int(np.flatnonzero(brought)[-1]) + 1 if brought.any() else 0
        new = np.flatnonzero(brought[start:end] == 0) + start
        brought[new] = packet
        if end - start == 1 and end == contiguous:
            continue  # a keep-alive by its looks
        retransmitted += not len(new)
        out_of_order += bool((new < highest).any())
    packets = [int(brought[:end].max()) for _, end in bounds(parts)]
    segments = [len(set(brought[start:end].tolist())) for start, end in bounds(parts)]
    for engine in ENGINES:
        got = drive(talk.pcap(), engine)
        same_messages(got, drive(one_a_segment(parts), engine))
        assert got["messages"]["packet"].tolist() == packets
        assert got["messages"]["segments"].tolist() == segments
        assert got["messages"]["time"].tolist() == [nanoseconds(time_of(packet)).astype("i8") for packet in packets]
        row = got["connections"][0]
        assert (row["initiator_octets"], row["initiator_conflicts"]) == (len(stream), 0)
        assert (row["initiator_retransmitted"], row["initiator_out_of_order"]) == (retransmitted, out_of_order)
        assert {kind for _, _, kind, _, _ in issues(got)} <= {"NUMBER_LENGTH", "UNKNOWN_CALL", "SHARED_ID"}
        consistent(got)


@given(data=st.data())
def test_lost_octets_never_make_a_message(data):
    """What is whole is one of the messages that were sent, none that came whole is missing, and cuts say so."""
    parts = data.draw(messages())
    stream = b"".join(parts)
    order = data.draw(schedule(len(stream)))
    kept = [segment for segment in order if data.draw(st.integers(0, 3))]
    there = np.zeros(len(stream), dtype=bool)
    talk = Conversation().handshake()
    for start, end in kept:
        talk.client(start, stream[start:end])
        there[start:end] = True
    if data.draw(st.booleans()):
        talk.server(0, ack=len(stream))
    whole = [part for (start, end), part in zip(bounds(parts), parts, strict=True) if there[start:end].all()]
    for engine in ENGINES:
        got = drive(talk.pcap(), engine)
        rows = got["messages"]
        kinds = [
            (int(row["control_message_type"]), int(row["length"]))
            for row, status in zip(rows, statuses(got), strict=True)
            if "CUT" not in status
        ]
        assert kinds == [(int.from_bytes(part[8:10], "big"), len(part)) for part in whole]
        for kind, name in enumerate(TYPES, 1):
            table = got[name]
            uncut = table[rows["available"][table["message"]] == rows["length"][table["message"]]]
            sent = [part for part in whole if part[9] == kind]
            # behind the index, a row holds the message octet for octet, but for the order of those in a number
            assert [contents(row) for row in uncut] == sent, name
        lost = sum(needed for _, _, kind, needed, _ in issues(got) if kind == "GAP")
        assert lost == int(got["connections"]["initiator_gap_octets"].sum())
        consistent(got)


def contents(row: np.void) -> bytes:
    """The message as it was on the wire, from the fields of its row."""
    parts = []
    for name in names_of(row)[1:]:
        kind = row.dtype[name]
        value = row[name]
        parts.append(
            bytes(value).ljust(kind.itemsize, b"\0") if kind.kind == "S" else int(value).to_bytes(kind.itemsize, "big")
        )
    return b"".join(parts)


@given(parts=messages(most=5))
def test_every_octet_of_a_message_is_in_its_row(parts):
    """Nothing is dropped, clipped or stopped at a zero."""
    for engine in ENGINES:
        got = drive(one_a_segment(parts), engine)
        rows = [
            got[TYPES[kind - 1]][row]
            for kind, row in zip(*(got["messages"][n] for n in ("control_message_type", "row")), strict=True)
        ]
        assert [contents(row) for row in rows] == parts


@given(data=st.data())
def test_messages_of_both_sides_do_not_meet(data):
    """Two streams in any interleaving: each side's messages are those that it sends alone."""
    sides = [data.draw(messages(most=5)) for _ in range(2)]
    orders = [data.draw(schedule(sum(map(len, parts)))) for parts in sides]
    turns = data.draw(st.permutations([side for side in (0, 1) for _ in orders[side]]))
    streams = [b"".join(parts) for parts in sides]
    talk = Conversation(isn=(2**32 - 50, 7)).handshake()
    left = [iter(order) for order in orders]
    for side in turns:
        start, end = next(left[side])
        talk.add(side, start, streams[side][start:end])
    for engine in ENGINES:
        got = drive(talk.pcap(), engine)
        for side, parts in enumerate(sides):
            rows = got["messages"][got["messages"]["from_initiator"] == (side == 0)]
            assert rows["control_message_type"].tolist() == [part[9] for part in parts]
            assert rows["length"].tolist() == [len(part) for part in parts]
            for row, part in zip(rows, parts, strict=True):
                assert contents(got[TYPES[part[9] - 1]][row["row"]]) == part
        consistent(got)
