"""PPP control packets in clear: each head, each option, each cut, and no secret in any row."""

from __future__ import annotations

import importlib

import pytest
from builder import cut, gre, gre_frame, pcap, piece4, split
from helpers import ENGINES, MODULES, column, container_of, decode, drive, issues, same

from pptpcap.wire.limits import DEFAULT, Limits
from pptpcap.wire.status import PppStatus

# Typed from RFC 1661, 1332, 1877, 5072, 3078, 1968, 1334, 1994, 3748.
REQUEST = "c021 0101001d 01040578 0206000a0000 0305c22381 0506a1b2c3d4 0702 0802"
LCP_OPTIONS = [
    (1, 4, 0x0578), (2, 6, 0x000A0000), (3, 5, 0xC22381), (5, 6, 0xA1B2C3D4), (7, 2, 0), (8, 2, 0),
]  # fmt: skip
WHOLE = {
    "LCP": (REQUEST, (0xC021, 1, 1, 29, 29), LCP_OPTIONS, set()),
    "framed": ("ff03" + REQUEST, (0xC021, 1, 1, 29, 29), LCP_OPTIONS, set()),
    "echo": ("c021 09010008 a1b2c3d4", (0xC021, 9, 1, 8, 8), [], set()),
    "terminate": ("c021 05020010 557365722072657175657374", (0xC021, 5, 2, 16, 16), [], set()),
    "IPCP": ("8021 01050010 030600000000 810600000000", (0x8021, 1, 5, 16, 16), [(3, 6, 0), (129, 6, 0)], set()),
    "IPv6CP": (
        "8057 0102000e 010a 0211223344556677", (0x8057, 1, 2, 14, 14), [(1, 10, 0x0211223344556677)], set(),
    ),
    "CCP": ("80fd 0106000a 120601000040", (0x80FD, 1, 6, 10, 10), [(18, 6, 0x01000040)], set()),
    "ECP": ("8053 0301000e 010a 0102030405060708", (0x8053, 3, 1, 14, 14), [(1, 10, 0x0102030405060708)], set()),
    "MPLSCP": ("8281 01010004", (0x8281, 1, 1, 4, 4), [], set()),
    "BCP": ("8031 01010007 030301", (0x8031, 1, 1, 7, 7), [(3, 3, 1)], set()),
    "BACP": ("c02b 0101000a 010600000001", (0xC02B, 1, 1, 10, 10), [(1, 6, 1)], set()),
    "CBCP": ("c029 0101000a 0102 02040a01", (0xC029, 1, 1, 10, 10), [(1, 2, 0), (2, 4, 0x0A01)], set()),
    "long option": (
        "8021 01010010 050c 0102030405060708090a", (0x8021, 1, 1, 16, 16), [(5, 12, 0x0102030405060708)], set(),
    ),
    "LQR": ("c025" + "aa" * 48, (0xC025, 0, 0, 0, 48), [], {"NO_HEAD"}),
    "PAP": ("c023 0103000c 0375736e 03707764", (0xC023, 1, 3, 12, 12), [], set()),
    "PAP reply": ("c023 02030005 00", (0xC023, 2, 3, 5, 5), [], set()),
    "CHAP": ("c223 0107000a 04 deadbeef 70", (0xC223, 1, 7, 10, 10), [], set()),
    "EAP": ("c227 02090007 01 7573", (0xC227, 2, 9, 7, 7), [], set()),
    "padded": ("c021 09010008 a1b2c3d4 000000", (0xC021, 9, 1, 8, 8), [], {"PADDED"}),
    "multilink": ("003d c0000001 c021 09010008 a1b2c3d4", (0xC021, 9, 1, 8, 8), [], {"MULTILINK"}),
    "multilink, one octet": ("3d c0000001 ff03 c021 09010008 a1b2c3d4", (0xC021, 9, 1, 8, 8), [], {"MULTILINK"}),
}  # fmt: skip


def octets(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def one(engine: str, text: str, snap: int | None = None, limits: Limits = DEFAULT, **more):
    """The payload behind 34 octets of Ethernet and IPv4 and 12 of GRE, of which `snap` are captured."""
    frame = gre_frame(gre(octets(text), **({"sequence": 1} | more)))
    return drive(pcap([frame if snap is None else cut(frame, 46 + snap)]), engine, limits=limits)


def heads(got) -> list[tuple[int, ...]]:
    names = ("protocol", "code", "identifier", "length", "available")
    return list(zip(*(column(got, "ppp", name) for name in names), strict=True))


def options(got) -> list[tuple[int, ...]]:
    return list(zip(*(column(got, "ppp_options", name) for name in ("type", "length", "value")), strict=True))


def marks(got) -> list[set[str | None]]:
    return [{bit.name for bit in PppStatus if status & bit} for status in column(got, "ppp", "status")]


@pytest.mark.parametrize("name", WHOLE)
def test_whole(engine, name):
    text, head, found, status = WHOLE[name]
    got = one(engine, text)
    assert heads(got) == [head]
    assert options(got) == found
    assert column(got, "ppp", "options") == [len(found)]
    assert marks(got) == [status]
    assert issues(got) == []
    assert column(got, "ppp", "gre") == [0]
    assert column(got, "ppp", "tunnel") == [0]


@pytest.mark.parametrize(
    "text",
    [
        "0021 45000014", "21 45000014", "00fd 9001deadbeef", "fd 9001deadbeef", "003d 80000001 c021 09010008 a1b2c3d4",
        "003d 40000001 c021 09010008 a1b2c3d4", "003d c0000001 0021 45000014", "003d c00000", "003d c0000001 c0",
    ],
)  # fmt: skip
def test_no_control_packet(engine, text):
    got = one(engine, text)
    assert len(got["gre"]) == 1
    assert len(got["ppp"]) == len(got["ppp_options"]) == 0


# payload, options that stand, mark, issue, needed, had
BAD = {
    "no head": ("c021", 0, "MALFORMED", "PPP_LENGTH", 4, 0),
    "three octets": ("c021 010100", 0, "MALFORMED", "PPP_LENGTH", 4, 3),
    "length 0": ("c021 01010000 01040578", 0, "MALFORMED", "PPP_LENGTH", 4, 0),
    "length 3": ("c021 01010003 01040578", 0, "MALFORMED", "PPP_LENGTH", 4, 3),
    "length one more": ("c021 01010009 01040578", 0, "MALFORMED", "PPP_LENGTH", 8, 9),
    "length 65535": ("c021 0101ffff 01040578", 0, "MALFORMED", "PPP_LENGTH", 8, 65535),
    "option of one octet": ("c021 01010009 01040578 07", 1, "BAD_OPTION", "PPP_OPTION", 2, 1),
    "option length 0": ("c021 0101000c 01040578 07000802", 1, "BAD_OPTION", "PPP_OPTION", 4, 0),
    "option length 1": ("8021 0101000c 01040578 07010802", 1, "BAD_OPTION", "PPP_OPTION", 4, 1),
    "option one more": ("80fd 0101000a 120701000040", 0, "BAD_OPTION", "PPP_OPTION", 6, 7),
    "option length 255": ("c029 0101000a 12ff01000040", 0, "BAD_OPTION", "PPP_OPTION", 6, 255),
    "PAP empty": ("c023 01010004", 0, "BAD_FIELD", "PPP_FIELD", 1, 0),
    "PAP identity": ("c023 01010008 03757372", 0, "BAD_FIELD", "PPP_FIELD", 5, 4),
    "PAP password": ("c023 0101000b 03757372 037077", 0, "BAD_FIELD", "PPP_FIELD", 8, 7),
    "PAP identity 255": ("c023 01010006 ff00", 0, "BAD_FIELD", "PPP_FIELD", 257, 2),
    "PAP message": ("c023 02010006 0261", 0, "BAD_FIELD", "PPP_FIELD", 3, 2),
    "CHAP empty": ("c223 01010004", 0, "BAD_FIELD", "PPP_FIELD", 1, 0),
    "CHAP value": ("c223 02010008 04dead00", 0, "BAD_FIELD", "PPP_FIELD", 5, 4),
    "EAP empty": ("c227 01010004", 0, "BAD_FIELD", "PPP_FIELD", 1, 0),
}


@pytest.mark.parametrize("name", BAD)
def test_bad(engine, name):
    text, count, mark, kind, needed, had = BAD[name]
    got = one(engine, text)
    assert column(got, "ppp", "options") == [count] == [len(got["ppp_options"])]
    assert marks(got) == [{mark}]
    assert issues(got) == [(1, "PPP", kind, needed, had)]


@pytest.mark.parametrize("name", WHOLE)
def test_cut_by_the_capture_is_never_an_issue(name):
    text, head, found, _ = WHOLE[name]
    size = len(octets(text))
    for snap in range(size + 1):
        got, other = (one(engine, text, snap) for engine in ENGINES)
        same(got, other, f"{name} at {snap}")
        assert issues(got) == []
        assert options(got) == found[: len(got["ppp_options"])]
        for row in heads(got):
            assert row[0] == head[0]
            assert row[4] <= head[4]
    assert heads(got) == [head]


def test_cut_marks(engine):
    assert [marks(one(engine, "c021 01010008 01040578", snap)) for snap in (1, 2, 5, 6, 9, 10)] == [
        [], [{"HEAD_CUT"}], [{"HEAD_CUT"}], [{"CUT"}], [{"CUT"}], [set()],
    ]  # fmt: skip


def test_no_sequence(engine):
    """What pppd took in CVE-2020-8597 had no sequence number."""
    got = one(engine, "c227 01010005 04", sequence=None)
    assert marks(got) == [{"NO_SEQUENCE"}]
    assert heads(got) == [(0xC227, 1, 1, 5, 5)]


@pytest.mark.parametrize(("count", "mark"), [(64, set()), (65, {"OPTION_LIMIT"}), (255, {"OPTION_LIMIT"})])
def test_cap_of_options(engine, count, mark):
    got = one(engine, f"c021 0101{4 + 2 * count:04x}" + "0702" * count)
    assert column(got, "ppp", "options") == [64] == [len(got["ppp_options"])]
    assert marks(got) == [mark]
    assert issues(got) == ([(1, "PPP", "PPP_OPTION_LIMIT", 64, 65)] if mark else [])


SECRET = b"SeCrEt7x"


@pytest.mark.parametrize(
    "text",
    [
        "c023 01010013 0375737208%s0000", "c023 0101000d 00ff%s", "c223 0201000d 08%s", "c223 0101000c ff%s",
        "c227 0101000d 04%s", "c021 07010014 c023 0101 %s 00000000", "c021 0801000e c023%s", "c021 09010010 00000000%s",
        "c025 %s", "c027 0101000c %s",
    ],
)  # fmt: skip
def test_secrets_stand_in_no_row(engine, text):
    got = one(engine, text % SECRET.hex())
    assert len(got["ppp"]) == 1
    rows = b"".join(got[name].tobytes() for name in got)
    for part in (SECRET[:4], SECRET[4:], SECRET[:4][::-1], SECRET[4:][::-1]):
        assert part not in rows


# ---- rows among others


def mixed() -> bytes:
    """A control packet, a datagram of four pieces among others that hold control packets and payloads, and more."""
    whole = [gre(octets(WHOLE[name][0]), sequence=number) for number, name in enumerate(WHOLE)]
    pieces = [split(piece4, packet, 8, 16, key=number) for number, packet in enumerate(whole)]
    frames = [gre_frame(packet) for packet in whole[:4]]
    for number, parts in enumerate(pieces):
        data = gre_frame(gre(b"\x21" + bytes(20), sequence=3))
        frames += [*parts[:-1], gre_frame(whole[-1 - number]), data, parts[-1]]
    return pcap(frames)


def test_indices_of_merged_rows(engine):
    got = decode(mixed(), engine)
    assert len(got["ppp"]) == 4 + 2 * len(WHOLE)
    rows = got["gre"][got["ppp"]["gre"]]
    for name in ("packet", "record_offset", "time", "tunnel"):
        assert (rows[name] == got["ppp"][name]).all(), name
    assert sorted(column(got, "ppp", "gre")) == column(got, "ppp", "gre")
    expected = [number for number, count in enumerate(column(got, "ppp", "options")) for _ in range(count)]
    assert column(got, "ppp_options", "ppp") == expected


def test_every_split_gives_the_same_rows(engine):
    data = mixed()
    whole = drive(data, engine)
    same(whole, drive(data, "reference"))
    for records in (1, 2, 3, 7):
        same(whole, drive(data, engine, records=records), f"{records} records")


@pytest.mark.parametrize("records", [0, 1, 5])
def test_payloads_are_those_of_the_rows(engine, records):
    """The octets of row i start where those of the rows before it end."""
    data = mixed()
    module = importlib.import_module(MODULES[engine])
    container = container_of(data)
    assembler = module.Assembler((1723,), DEFAULT, payloads=True)
    assembler.begin_file()
    start, packets, found = container.first_record, 0, []
    while start < len(data):
        scan = module.scan_range(
            data, start, len(data), container, (1723,), DEFAULT, file=0, packets_before=packets, most_records=records,
            payloads=True,
        )  # fmt: skip
        assembler.feed(scan)
        taken = assembler.take()
        ends = taken["gre"]["available"].astype("i8").cumsum().tolist()
        assert len(taken["payloads"]) == (ends[-1] if ends else 0)
        payload = taken["payloads"].tobytes()
        found += [payload[a:b] for a, b in zip([0, *ends], ends, strict=False)]
        start, packets = scan.end, packets + scan.records
    vectors = [octets(text) for text, *_ in WHOLE.values()]
    expected = vectors[:4]
    for number, vector in enumerate(vectors):
        expected += [vectors[-1 - number], b"\x21" + bytes(20), vector]
    assert found == expected
