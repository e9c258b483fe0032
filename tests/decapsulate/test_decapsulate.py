"""What is inside calls, packet by packet: built by hand, and real captures beside what the server saw inside."""

from __future__ import annotations

import struct
import zlib
from collections import Counter

import pytest
from builder import CLIENT, SERVER, Record, cut, gre, gre_frame, ones_sum, pcap
from captures import lab
from payloads import inner_of
from places import CAPTURES
from test_vj import compressed, packet, uncompressed

MSS88 = CAPTURES / "mss88.pcap"

# IPv4 and IPv6 without data behind their headers; protocol 59 is none.
IPV4 = bytes.fromhex("4500001400010000403b00000a0000010a000002")
IPV6 = bytes.fromhex("6000000000003b40") + bytes(32)

# CCP Configure-Ack of Deflate with a window of 2^15, and Reset-Ack; LCP Configure-Ack of short sequence numbers.
ACK_DEFLATE = bytes.fromhex("80fd020100081a047800")
RESET_ACK = bytes.fromhex("80fd0f020004")
ACK_SHORT = bytes.fromhex("c021020100061202")


def capture(*payloads, sequences=None, source=CLIENT, destination=SERVER):
    """PPP frames that one side sends."""
    numbers = range(1, len(payloads) + 1) if sequences is None else sequences
    return pcap(
        gre_frame(gre(payload, sequence=number), source, destination)
        for number, payload in zip(numbers, payloads, strict=True)
    )


def octets_of(inner):
    return [octets for _, octets in inner.packets]


# ---- framing


@pytest.mark.parametrize("head", ["21", "0021", "ff0321", "ff030021"])
def test_every_framing(head):
    inner = inner_of(capture(bytes.fromhex(head) + IPV4))
    assert octets_of(inner) == [IPV4]
    assert inner.counts == {"WRITTEN": 1}


def test_padding_goes_and_both_versions_come():
    assert octets_of(inner_of(capture(b"\x21" + IPV4 + b"\0\0", b"\x57" + IPV6 + b"\0"))) == [IPV4, IPV6]


@pytest.mark.parametrize(
    ("frame", "outcome"),
    [
        ("c0210901000800000000", "CONTROL"),
        ("2b00", "NOT_IP"),
        ("00", "MALFORMED"),
        ("2244", "MALFORMED"),
        ("2245", "NOT_IP"),
        ("21", "MALFORMED"),
        ("2144000014000100004 03b00000a0000010a000002".replace(" ", ""), "MALFORMED"),
        ("214500001500010000403b00000a0000010a000002", "MALFORMED"),
        ("fd00009000", "UNKNOWN_METHOD"),
        ("fb0000", "UNSUPPORTED_METHOD"),
        ("2d0f0000", "OUT_OF_STEP"),
        ("3d00", "INCOMPLETE"),
    ],
)
def test_what_is_not_written_and_why(frame, outcome):
    assert inner_of(capture(bytes.fromhex(frame))).counts == {outcome: 1}


def test_cut_by_the_snap_length_at_every_octet():
    whole = gre_frame(gre(b"\x21" + IPV4 + b"", sequence=1))
    for length in range(len(whole)):
        inner = inner_of(pcap([cut(whole, length)]))
        assert inner.packets == []
        assert sum(inner.counts.values()) == inner.with_payload
    assert inner_of(pcap([Record(whole)])).counts == {"WRITTEN": 1}


def test_a_payload_that_is_not_there_or_has_no_number():
    short = gre_frame(gre(b"\x21" + IPV4, sequence=1, payload_length=99))
    unnumbered = gre_frame(gre(b"\x21" + IPV4))
    assert inner_of(pcap([short, unnumbered])).counts == {"MALFORMED": 2}


# ---- order


def numbered(number):
    return b"\x21" + IPV4[:4] + struct.pack(">H", number) + IPV4[6:]


def test_packets_come_in_the_order_of_the_capture():
    order = [1, 3, 2, 5, 4, 9]
    inner = inner_of(capture(*map(numbered, order), sequences=order))
    assert [int.from_bytes(octets[4:6], "big") for octets in octets_of(inner)] == order
    assert [time for time, _ in inner.packets] == sorted(time for time, _ in inner.packets)


def test_duplicates_are_written_once():
    inner = inner_of(capture(*map(numbered, [1, 2, 2, 1])), None)
    assert inner.counts == {"WRITTEN": 4}
    inner = inner_of(capture(*map(numbered, [1, 2, 2, 1]), sequences=[1, 2, 2, 1]))
    assert inner.counts == {"WRITTEN": 2, "DUPLICATE": 2}


def test_numbers_wrap_and_begin_anew():
    numbers = [0xFFFFFFFF, 0, 1, 0x80000000, 5, 6]
    assert inner_of(capture(*map(numbered, range(6)), sequences=numbers)).counts == {"WRITTEN": 6}


@pytest.mark.parametrize("batch_rows", [1, 7])
def test_batches_change_nothing(batch_rows):
    whole = inner_of(MSS88, "labpass1")
    assert inner_of(MSS88, "labpass1", batch_rows) == whole
    assert whole.counts == {"WRITTEN": 14, "CONTROL": 31}


# ---- VJ, Deflate, Multilink


def test_headers_are_put_in_order_before_they_are_undone():
    segments = [packet(b"abcd", sequence=1000 + 4 * n, identification=1 + n) for n in range(4)]
    frames = [b"\x2f" + uncompressed(segments[0], 3)]
    frames += [b"\x2d" + compressed(one, (0x0F, b"", b""), b"abcd") for one in segments[1:]]
    inner = inner_of(capture(*(frames[n] for n in (0, 2, 1, 3)), sequences=[1, 3, 2, 4]))
    assert octets_of(inner) == [segments[n] for n in (0, 2, 1, 3)]


def deflated(frames):
    """As RFC 1979 says: numbered, each flushed, without the lengths of the empty block that ends it."""
    sender = zlib.compressobj(wbits=-15)
    for number, frame in enumerate(frames):
        octets = sender.compress(frame) + sender.flush(zlib.Z_SYNC_FLUSH)
        assert octets.endswith(b"\x00\x00\xff\xff")
        yield b"\xfd" + struct.pack(">H", number) + octets[:-4]


def test_deflate_until_a_loss_and_after_a_reset():
    frames = [*deflated(map(numbered, range(6)))]
    again = [*deflated(map(numbered, range(2)))]
    inner = inner_of(capture(ACK_DEFLATE, *frames[:3], *frames[4:], RESET_ACK, *again))
    assert octets_of(inner) == [numbered(n)[1:] for n in (0, 1, 2, 0, 1)]
    assert inner.counts == {"WRITTEN": 5, "CONTROL": 2, "OUT_OF_STEP": 2}


def test_deflate_takes_frames_in_clear_into_its_history():
    sender = zlib.compressobj(wbits=-15)
    first, second = numbered(1), numbered(2)
    start = sender.compress(first) + sender.flush(zlib.Z_SYNC_FLUSH)
    # A stored block is what a frame in clear adds: the other side then refers to it.
    window = zlib.compressobj(wbits=-15, zdict=first + second)
    later = window.compress(second) + window.flush(zlib.Z_SYNC_FLUSH)
    assert len(later) < 12
    frames = (ACK_DEFLATE, b"\xfd\0\0" + start[:-4], second, b"\xfd\0\x02" + later[:-4])
    assert octets_of(inner_of(capture(*frames))) == [first[1:], second[1:], second[1:]]


def test_deflate_that_swells_or_is_broken():
    bomb = zlib.compressobj(9, wbits=-15)
    octets = bomb.compress(bytes(1 << 24)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    assert inner_of(capture(ACK_DEFLATE, b"\xfd\0\0" + octets[:-4])).counts["OUT_OF_STEP"] == 1
    assert inner_of(capture(ACK_DEFLATE, b"\xfd\0\0" + b"\xff" * 9)).counts["OUT_OF_STEP"] == 1


def test_methods_that_are_not_undone():
    # BSD-Compress, MPPC alone, Deflate with a window that zlib has not.
    for option in ("15032f", "120600000001", "1a04f800"):
        octets = bytes.fromhex(option)
        ack = b"\x80\xfd\x02\x01" + struct.pack(">H", 4 + len(octets)) + octets
        assert inner_of(capture(ack, b"\xfd\0\0abc")).counts == {"CONTROL": 1, "UNSUPPORTED_METHOD": 1}


@pytest.mark.parametrize("short", [False, True])
def test_fragments_are_put_together(short):
    frame = b"\x00\x21" + IPV4

    def fragment(flags, number, octets):
        word = struct.pack(">H", flags << 8 | number) if short else struct.pack(">I", flags << 24 | number)
        return b"\x00\x3d" + word + octets

    parts = [fragment(0x80, 1, frame[:5]), fragment(0, 2, frame[5:9]), fragment(0x40, 3, frame[9:])]
    agreed = [ACK_SHORT] if short else []
    control = {"CONTROL": 1} if short else {}
    inner = inner_of(capture(*agreed, *parts, fragment(0xC0, 4, frame)))
    assert octets_of(inner) == [IPV4, IPV4]
    assert inner.counts == {"WRITTEN": 2, "FRAGMENT": 2} | control
    # One of them is lost; another never ends.
    inner = inner_of(capture(*agreed, parts[0], parts[2], parts[0]))
    assert inner.counts == {"INCOMPLETE": 3} | control


# ---- logins


def test_without_password_and_with_a_wrong_one():
    assert inner_of(MSS88).counts == {"CONTROL": 31, "ENCRYPTED": 14}
    assert inner_of(MSS88, "labpass2").counts == {"CONTROL": 31, "WRONG_PASSWORD": 14}


@pytest.mark.parametrize("at", range(24, MSS88.stat().st_size, 211))
def test_octets_that_are_broken(at):
    data = bytearray(MSS88.read_bytes())
    data[at] ^= 0xFF
    inner = inner_of(bytes(data), "labpass1")
    assert sum(inner.counts.values()) == inner.with_payload
    assert len(inner.packets) <= 14


# ---- real captures

# What is written of them with the password, and what is not; typed from what the lab's README says of each.
COUNTS = {
    "pap_plain": {"WRITTEN": 572, "CONTROL": 18},
    "pap_vj": {"WRITTEN": 607, "CONTROL": 18},
    "mschapv1_mppe128": {"WRITTEN": 321, "CONTROL": 25},
    "chapmd5_vj_deflate": {"WRITTEN": 538, "CONTROL": 23},
    "pap_plain_snaplen64": {"CONTROL": 18, "CUT": 166},
    "pap_plain_snaplen96": {"WRITTEN": 13, "CONTROL": 18, "CUT": 153},
    "mss88.snaplen96": {"CONTROL": 31, "NO_LOGIN": 14},
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_of_real_captures(name):
    assert inner_of(lab(f"{name}.pcap"), "labpass1").counts == COUNTS[name]


def twin(path):
    """Time and IP packet of each record of a cooked capture inside the tunnel."""
    data = path.read_bytes()
    assert data[:4] == b"\xd4\xc3\xb2\xa1"
    at = 24
    while at < len(data):
        seconds, microseconds, length = struct.unpack_from("<III", data, at)
        yield seconds * 10**9 + microseconds * 1000, data[at + 32 : at + 16 + length]
        at += 16 + length


@pytest.mark.parametrize(
    ("name", "before"),
    [("mppe128_normal", 2), ("mschapv2_mppe40", 3), ("mschapv2_mppe128_stateful_allowed", 2)],
)
def test_every_packet_that_the_server_saw_inside(name, before):
    """Octet for octet; what it did not see are router solicitations from before it looked."""
    inner = inner_of(lab(f"{name}.pcap"), "labpass1")
    seen = list(twin(lab(f"{name}.inner_ppp0_server.pcap")))
    ours, theirs = Counter(octets_of(inner)), Counter(octets for _, octets in seen)
    assert not theirs - ours
    # It sees packets up to 10 ms later or earlier than they cross the tunnel.
    early = Counter(octets for time, octets in inner.packets if time < seen[0][0] - 10_000_000)
    assert ours - theirs == early
    assert sum(early.values()) == before
    # ICMPv6, type 133.
    assert all(octets[6] == 58 and octets[40] == 133 for octets in early)


def test_inner_packets_hold_together():
    """Checksums of TCP inside, where headers and data went through VJ, Deflate, fragments or reordering."""
    for name in (
        "pap_vj",
        "chapmd5_vj_deflate",
        "gre_ipfrag_mtu576",
        "loss5_reorder_dup.client",
        "multi8_clients.server",
    ):
        checked = 0
        for octets in octets_of(inner_of(lab(f"{name}.pcap"), "labpass1")):
            if octets[0] == 0x45 and octets[9] == 6 and not octets[6] & 0x3F:
                pseudo = octets[12:20] + bytes((0, 6)) + struct.pack(">H", len(octets) - 20)
                assert ones_sum(pseudo + octets[20:]) == 0
                checked += 1
        assert checked > 50, name


def test_both_ends_of_a_lossy_session_agree():
    """What came to the server is what the client sent, each packet, however they were reordered."""
    both = [inner_of(lab(f"loss5_reorder_dup.{end}.pcap"), "labpass1") for end in ("client", "server")]
    merged = inner_of(lab("loss5_reorder_dup.merged_both_ends.pcapng"), "labpass1")
    known = Counter(octets_of(merged))
    for end in both:
        assert sum((Counter(octets_of(end)) - known).values()) == 0
    # copies of what was fragmented are dropped before
    assert merged.counts["DUPLICATE"] > 500
