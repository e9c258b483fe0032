"""``--drop-duplicates``, and what the commands say of packets that a capture holds more than once."""

from __future__ import annotations

import json

import pytest
from commands import MSS88, call
from places import CAPTURES

SPAN = CAPTURES / "found" / "span_dup.pcap"
KEPT = "37 packets are copies of others (mirror port, any, merged captures): --drop-duplicates leaves them out"
DROPPED = "37 packets are copies of others (mirror port, any, merged captures): they were left out"


@pytest.mark.parametrize("command", ["info", "calls"])
@pytest.mark.parametrize(("options", "told"), [((), KEPT), (("--drop-duplicates",), DROPPED)])
def test_words(engine, command, options, told):
    code, out, err = call(command, "--engine", engine, *options, SPAN)
    assert (code, err) == (0, "")
    assert [line.strip() for line in out.splitlines() if "copies of others" in line] == [told]


@pytest.mark.parametrize("command", ["info", "calls"])
def test_no_words_where_there_are_none(command):
    assert "copies of" not in call(command, MSS88)[1]


@pytest.mark.parametrize(
    ("options", "packets", "copies"), [((), [18, 20], [10, 10]), (("--drop-duplicates",), [9, 10], [0, 0])]
)
def test_json(options, packets, copies):
    """As lines of JSON nothing but rows is printed; a copy of the PNS is an acknowledgment without a number."""
    document = json.loads(call("calls", "--json", *options, SPAN)[1])
    assert [document[f"{side}_packets"] for side in ("pns", "pac")] == packets
    assert [document[f"{side}_copies"] for side in ("pns", "pac")] == copies


def test_converted(tmp_path):
    call("convert", "--format", "csv", "-o", tmp_path / "out", "--drop-duplicates", SPAN)
    assert len((tmp_path / "out" / "gre.csv").read_text().splitlines()) == 1 + 20


def test_decapsulated(tmp_path):
    """Half of the inner packets; each record has a header of 16 octets behind the file's 24."""
    sizes = []
    for options in ((), ("--drop-duplicates",)):
        target = tmp_path / f"{len(options)}.pcap"
        call("decapsulate", "-o", target, *options, SPAN)
        sizes.append(target.stat().st_size - 24)
    assert 0 < sizes[1] <= sizes[0]
