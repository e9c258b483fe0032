"""One capture in several formats, and captures of other tools' own tests.

Beside each file of ``robustness`` stands the number of packets that another tool counts in it.
"""

from __future__ import annotations

import csv

import pytest
from captures import NOT_OURS, lab
from helpers import ENGINES, Decoded, decode, names_of, same
from places import SHARED

import pptpcap
from pptpcap.schema import TABLE_NAMES

pytestmark = pytest.mark.slow

ROBUSTNESS = SHARED / "robustness"
FILES = sorted(ROBUSTNESS.glob("*"))
GENERATOR = "hadrielk+pcapng-test-generator__output_{order}__{kind}__test{number}.pcapng"

needs_captures = pytest.mark.skipif(not FILES, reason=NOT_OURS)

# Enhanced and Simple Packet Blocks of each file of pcapng-test-generator, either byte order.
GENERATED = {
    "basic": {
        "001": 4,
        "002": 0,
        "003": 0,
        "004": 4,
        "005": 4,
        "006": 5,
        "007": 1,
        "008": 4,
        "009": 2,
        "010": 4,
        "011": 4,
        "012": 4,
        "013": 0,
        "015": 0,
        "016": 4,
        "017": 0,
    },
    "advanced": {"100": 5, "101": 4, "102": 5},
    "difficult": {"201": 4, "202": 8},
}

# Where this library counts otherwise than the other tool, and why.
COUNTS = {
    # a section of another major version ends the walk
    "gopacket+gopacket__pcapgo__tests__be__test901.pcapng": 1,
    "gopacket+gopacket__pcapgo__tests__le__test901.pcapng": 1,
    "the-tcpdump-group+libpcap__pcapng-invalid-vers-1.pcapng": 0,
    # the two lengths of its blocks differ
    "the-tcpdump-group+libpcap__shb-option-too-long.pcapng": 0,
    # its last record is sixteen zeros, which end the walk
    "the-tcpdump-group+tcpdump__vtp_asan.pcap": 4,
    # version 2.2, whose records may have their two lengths swapped
    "seladb+PcapPlusPlus__Fuzzers__RegressionTests__regression_samples__"
    "clusterfuzz-testcase-minimized-FuzzTarget-6604968558198784": 1,
}


def test_captures_are_all_there():
    assert len(FILES) in (0, 1335)


# ---- one capture in several formats


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fmt_usec.pcap", "fmt_usec.editcap.pcapng"),
        ("fmt_nsec.pcap", "fmt_nsec.editcap.pcapng"),
        ("fmt_usec.pcap", "fmt_usec.bigendian.pcap"),
        ("fmt_usec.pcap", "fmt_usec.snoop"),
    ],
)
def test_one_capture_in_two_formats(engine, one, other):
    """Equal in all but where the records stand in the file."""
    first, second = (decode(lab(name), engine) for name in (one, other))
    assert len(first["gre"]) == 385
    assert first.counters == second.counters
    for table in TABLE_NAMES:
        for column in set(names_of(first[table])) - {"record_offset"}:
            assert first[table][column].tobytes() == second[table][column].tobytes(), (table, column)


# ---- pcapng-test-generator


@needs_captures
@pytest.mark.parametrize("kind", GENERATED)
def test_generated_files(engine, kind):
    """Packets are Enhanced and Simple Packet Blocks; both byte orders of one test give the same rows."""
    seen = 0
    for number, packets in GENERATED[kind].items():
        names = [GENERATOR.format(order=order, kind=kind, number=number) for order in ("be", "le")]
        found = [decode(ROBUSTNESS / name, engine) for name in names if (ROBUSTNESS / name).exists()]
        assert found, number
        for got in found:
            assert got.counters["packets"] == packets, number
            assert not got.damaged
            no_packets = set() if packets else {91}
            assert set(got["issues"]["kind"].tolist()) - {22, 11} == no_packets, number
        if len(found) == 2:
            same(found[0], found[1], f"test{number}")
        seen += len(found)
    assert seen == {"basic": 22, "advanced": 3, "difficult": 3}[kind]


# ---- everybody's captures


@needs_captures
@pytest.mark.parametrize("part", range(5))
def test_robustness(part):
    """Both engines read the same of each file, or refuse it in the same words; the packets are as many as another tool counts."""
    with open(SHARED / "robustness.tsv", encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t")}
    refused = 0
    for path in FILES[part::5]:
        found: list[Decoded | str] = []
        for engine in ENGINES:
            try:
                found.append(decode(path, engine))
            except pptpcap.CaptureError as error:
                found.append(str(error))
        one, other = found
        if isinstance(one, str) or isinstance(other, str):
            assert one == other, path.name
            assert "version" in rows[path.name]["note"], path.name
            refused += 1
            continue
        same(one, other, path.name)
        assert one.counters["packets"] == COUNTS.get(path.name, int(rows[path.name]["packets"])), path.name
    assert refused <= 5
