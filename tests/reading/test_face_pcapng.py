"""What people see of pcapng: `read` and `iterate`, the facts of a file, the page of `info`."""

from __future__ import annotations

import io

import numpy as np
import pytest
from builder import ETHERNET, SLL, Conversation, echo, ethernet, gre, ipv4, pcap, sll
from commands import call
from pcapng_builder import File, started, tsresol

import pptpcap
from pptpcap import schema
from pptpcap.wire.status import Kind

FRAME = ethernet(ipv4(gre(b"\x00\x57", sequence=1), 47))


def same(one, other):
    return all(one[name].tobytes() == other[name].tobytes() for name in schema.TABLE_NAMES)


def facts(octets, engine="reference"):
    (file,) = pptpcap.read(octets, engine=engine).summary.files
    return file


def two_sections():
    """Interfaces come between packets; the second section has the other byte order and other interfaces."""
    file = File("<").section().interface(options=[tsresol(9)])
    file.packets(FRAME, FRAME, ticks=10**9).interface(SLL)
    file.packets(sll(ipv4(gre(b"\x00\x57", sequence=1), 47)), interface=1).packets(FRAME, ticks=10**9)
    return file.section(">").interface(SLL).packets(sll(ipv4(gre(b"\x00\x57", sequence=1), 47))).octets


def test_facts_of_a_file(engine):
    file = File("<").section().interface(snap=100).interface(SLL, [tsresol(9)], snap=300).packet(FRAME)
    one = facts(file.octets, engine)
    assert (one.format, one.byte_order, one.resolution) == ("pcapng", "little", "ns")
    assert (one.interfaces, one.link_types, one.link_type) == (2, (ETHERNET, SLL), -1)
    assert (one.link, one.snap_length) == ("ETHERNET, LINUX_SLL", 300)
    assert (one.size, one.packets, one.damaged) == (len(file.octets), 1, False)


def test_facts_of_interfaces_that_are_alike():
    one = facts(File(">").section().interface(snap=9, options=[tsresol(3)]).interface(snap=0).octets)
    assert (one.byte_order, one.resolution, one.interfaces) == ("big", "us", 2)
    assert (one.link_types, one.link_type, one.link, one.snap_length) == ((ETHERNET,), ETHERNET, "ETHERNET", 0)


def test_facts_of_many_link_types():
    file = File().section()
    for link in range(1000, 1010):
        file.interface(link)
    assert facts(file.octets).link == "link type 1000, link type 1001, link type 1002, link type 1003, 6 more"


def test_section_header_alone_is_a_capture_of_nothing(engine):
    capture = pptpcap.read(File().section().octets, engine=engine)
    assert [name for name, table in capture.items() if len(table)] == ["issues"]
    assert capture.issues["kind"].tolist() == [Kind.NO_PACKETS]
    assert not capture.summary.damaged
    (file,) = capture.summary.files
    assert (file.packets, file.interfaces, file.link_types, file.link_type, file.link) == (0, 0, (), -1, "none")


def test_facts_of_pcap_are_those_of_its_one_interface(engine):
    header = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(8) + b"\xff\xff\x00\x00\x01\x00\x00\x00"
    one = facts(header, engine)
    assert (one.interfaces, one.link_types, one.link_type, one.resolution) == (1, (1,), 1, "us")


@pytest.mark.parametrize("most", [1, 2, 3])
def test_what_a_batch_learnt_is_there_in_the_next(engine, most):
    octets = two_sections()
    whole = pptpcap.read(octets, engine=engine)
    assert len(whole.gre) == 5
    assert {Kind(kind).name for kind in whole.issues["kind"]} <= {"CLOCK_BACK"}
    batches = list(pptpcap.iterate(octets, batch_packets=most, engine=engine))
    gre_rows = np.concatenate([batch.gre for batch in batches])
    assert gre_rows.tobytes() == whole.gre.tobytes()
    assert batches[0].summary.files[0].resolution == "ns"
    assert batches[-1].summary.files == whole.summary.files


def test_stream_gives_the_same_rows(engine):
    octets = two_sections()
    for cut in (len(octets), len(octets) - 1, 100, 40, 20, 12):
        expected = pptpcap.read(octets[:cut], engine=engine)
        capture = pptpcap.read(io.BytesIO(octets[:cut]), engine=engine)
        assert same(capture, expected)
        assert capture.summary.damaged == expected.summary.damaged == (cut < len(octets))


def test_pcap_and_pcapng_are_one_capture(engine):
    frames = Conversation().handshake().client(0, echo(1)).server(0, echo(2)).frames()
    capture = pptpcap.read([pcap(frames[:4]), started().packets(*frames[4:]).octets], engine=engine)
    assert [file.format for file in capture.summary.files] == ["pcap", "pcapng"]
    assert len(capture.connections) == 1
    assert capture.messages["file"].tolist() == [0, 1]


# ---- info


def test_info_of_a_damaged_file_names_interfaces_and_place(engine, tmp_path):
    path = tmp_path / "two.pcapng"
    path.write_bytes(two_sections()[:-1] + b"\xff")
    code, out, err = call("info", "--engine", engine, path)
    assert code == 3
    assert err.startswith(f"pptpcap: {path}: damaged: packet 5, offset ")
    assert "pcapng, big-endian, times in us, 1 interface, link type LINUX_SLL, snap length 0" in out
    assert "CONTAINER CORRUPT_BLOCK" in out


def test_info_of_a_connection_without_times(engine, tmp_path):
    path = tmp_path / "simple.pcapng"
    file = started()
    for packet in Conversation().handshake().client(0, echo(1)).frames():
        file.simple(packet)
    path.write_bytes(file.octets)
    code, out, err = call("info", "--engine", engine, path)
    assert (code, err) == (0, "")
    assert "packets 1 to 4, of unknown duration, open at the end of the capture" in out
