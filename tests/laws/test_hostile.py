"""Hostile input that no other test has, and an index of all of it.

Each row is a way to attack a decoder of captures, and where it is tried:

```
 1 empty file, directory, pipe, device     test_refusals::test_what_is_no_file_is_refused_and_nothing_hangs,
                                           test_hostile::test_file_of_the_kernel_without_a_size
 2 nothing but headers                     test_records::test_nothing_but_a_header, test_pcapng::test_file_without_packets
 3 file header cut, text                   test_refusals::test_what_is_no_capture_is_refused_with_place_and_reason,
                                           test_hostile::test_header_of_a_file_cut_at_each_octet
 4 versions, modified headers              test_refusals::test_formats_that_are_not_read_are_refused_by_name,
                                           test_pcap_variants::test_kuznetzov
 5 captured length, garbage                test_records::test_captured_length_above_the_cap, test_records::test_garbage_between_records
 6 snap length, captured above original    test_records::test_snap_length_of_the_header_limits_nothing,
                                           test_records::test_captured_above_original, test_pcapng::test_captured_above_original
 7 packets without octets                  test_records::test_many_records_of_nothing, test_pcapng_damage::test_least_blocks_are_whole
 8 cut records and blocks                  test_records::test_record_cut, test_pcapng_damage::test_cut_at_every_octet
 9 fractions, time going back              test_records::test_fraction_of_a_second_or_more, test_records::test_time_that_goes_backwards
10 big-endian nanoseconds                  test_records::test_nanoseconds_are_exact
11 unknown links, upper bits               test_links_mixed::test_unsupported_link_is_told_once_for_each_interface,
                                           test_pcap_variants::test_frame_check_sequence_is_no_payload,
                                           test_records::test_upper_half_of_the_link_type
12 block lengths 0, 8, 13                  test_pcapng_damage::test_impossible_length
13 block lengths near 2^32                 test_pcapng_damage::test_length_above_the_cap
14 trailing length                         test_pcapng_damage::test_the_two_lengths_differ
15 captured length above the block         test_pcapng_damage::test_captured_length_above_the_block
16 unknown interface, new section          test_pcapng::test_sections_of_either_byte_order
17 packet before any interface             test_pcapng::test_packets_before_any_interface
18 time resolutions                        test_pcapng_times::test_every_resolution, test_pcapng_times::test_resolution_that_is_none
19 time offsets                            test_pcapng_times::test_offset, test_pcapng_times::test_time_out_of_range
20 options                                 test_pcapng_times::test_option_that_reaches_behind_the_block,
                                           test_pcapng_times::test_two_hundred_thousand_options
21 section lengths                         test_pcapng::test_section_length_is_not_used
22 byte order, magic, version              test_pcapng_damage::test_no_byte_order_magic, test_pcapng_damage::test_another_version
23 many interfaces and sections            test_pcapng_damage::test_a_hundred_thousand_interfaces,
                                           test_pcapng_damage::test_fifty_thousand_sections
24 simple and obsolete packets, others     test_pcapng::test_captured_length_of_a_simple_packet_block,
                                           test_pcapng::test_obsolete_packet_block, test_pcapng::test_other_blocks
25 two link types                          test_pcapng::test_interfaces_of_their_own_link_and_resolution
26 short frames, stacks of tags            test_frames::test_link_header_cut, test_hostile::test_a_thousand_tags,
                                           test_links::test_depth_of_tags_and_labels
27 lengths of IPv4                         test_frames::test_ipv4_header_length_too_small, test_frames::test_total_length_above_the_frame
28 fragments, extension headers            test_fragments::test_lengths_that_cannot_be, test_ipv6::test_length_of_the_chain
29 TCP headers                             test_tcp::test_data_offset_above_the_wire, test_hostile::test_every_combination_of_flags
30 PPTP lengths, cookies, types            test_control_negative::test_impossible_length_loses_the_step,
                                           test_hostile::test_every_length_of_every_type
31 text                                    test_control_negative::test_text, test_cli::test_text_from_the_wire_is_escaped
32 phone numbers, call ids                 test_control_negative::test_phone_number_length,
                                           test_hostile::test_every_call_id_in_both_directions
33 GRE flags and versions                  test_gre::test_forbidden_flag_moves_nothing, test_hostile::test_every_first_word
34 GRE payload lengths                     test_gre::test_surplus_octets_are_no_payload, test_gre::test_payload_length_above_the_packet
35 sequence numbers, EoIP                  test_gre::test_last_sequence_is_the_highest_by_signed_difference,
                                           test_gre::test_other_protocol_type
36 PPP headers                             test_gre::test_protocol, test_gre::test_no_protocol
37 PPP options                             test_ppp::test_bad, test_ppp::test_cap_of_options
38 PPP authentication                      test_ppp::test_bad, test_ppp::test_secrets_stand_in_no_row
39 encrypted and compressed PPP            test_hostile::test_payload_that_is_not_read
40 tunnels in tunnels                      test_hostile::test_tunnel_in_a_tunnel, test_frames::test_depth_of_ip_headers
41 many flows, octets in reverse           test_hostile::test_time_grows_with_the_packets, test_caps::test_octets_in_reverse
42 file changed while it is read           test_face::test_file_that_shrinks_while_it_is_read_is_an_error_and_no_crash,
                                           test_shrink::test_file_that_shrinks_behind_a_check_is_an_error,
                                           test_containers::test_file_that_grows_is_read_as_it_was,
                                           test_hostile::test_file_that_is_replaced_while_it_is_read
43 more than 4 GiB, more than 2^32         test_hostile::test_offsets_above_4_gib, test_hostile::test_numbers_above_32_bits
44 memory that is not given                test_hostile_memory::test_memory_that_is_not_given
45 outputs that fail                       test_cli_ends::test_full_disk_is_one_line_and_1, test_cli_ends::test_closed_outputs
46 bombs of xz and bzip2, huge windows     test_containers::test_bomb_takes_time_and_no_memory,
                                           test_containers_damage::test_window_of_xz_is_limited_like_that_of_zstd
47 bombs of zip, members that overlap      test_archives::test_bomb_takes_time_and_no_memory,
                                           test_archives::test_members_that_overlap_are_not_inflated_again,
                                           test_archives::test_too_many_members_are_refused
48 names of members                        test_archives::test_names_are_shown_and_never_opened
49 lengths of snoop                        test_rewriting::test_snoop_record_length_that_cannot_be,
                                           test_rewriting::test_snoop_captured_length_above_the_cap
50 tables of Network Monitor               test_rewriting::test_netmon_record_that_cannot_be_is_counted,
                                           test_rewriting::test_netmon_table_with_one_record_many_times_is_no_bomb
```
"""

from __future__ import annotations

import importlib
import os
import re
import struct

import numpy as np
import pytest
from builder import CLIENT, SERVER, Conversation, control, echo, ethernet, gre, gre_frame, ipv4, pcap, stream
from costs import is_linear
from helpers import MODULES, TYPES, column, decode, identifiers, issues, kinds, only, same, statuses
from link_builder import ppp
from pcapng_builder import File
from places import TESTS
from shapes import SHAPES, damaged_options, datagrams, fragments_twice, syns, tunnels
from walks import beginning, twins, walk

import pptpcap
from pptpcap.wire.limits import DEFAULT
from pptpcap.wire.status import Kind

FRAME = gre_frame(gre(b"\x00\x57", sequence=1))

# Octets of each control message, from the specification.
SIZES = [156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24]


def test_the_index_names_tests_that_exist():
    """All 50 rows, each with a test or the word that it is not read yet."""
    rows = re.findall(r"^ ?(\d+) .*", __doc__, re.MULTILINE)
    assert rows == [str(number) for number in range(1, 51)]
    named = re.findall(r"(test_\w+)::(test_\w+)", __doc__)
    for row in re.split(r"\n(?= ?\d+ )", __doc__)[1:]:
        assert "::" in row or "not read yet" in row, row
    for module, test in named:
        assert f"def {test}(" in next(TESTS.rglob(f"{module}.py")).read_text(), (module, test)


# ---- files


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs a /proc")
def test_file_of_the_kernel_without_a_size(engine):
    """It is a regular file of no octets, whatever reading it would give."""
    capture = pptpcap.read("/proc/self/status", engine=engine)
    assert capture.summary.files[0].format == "empty"
    assert capture.issues["kind"].tolist() == [Kind.NO_PACKETS]


@pytest.mark.parametrize("order", ["<", ">"])
def test_header_of_a_file_cut_at_each_octet(engine, order):
    """What is too short to be told apart is refused; a section header that is cut is a capture that is cut."""
    for fine in (False, True):
        header = pcap([], order=order, nanoseconds=fine)
        for size in range(1, 24):
            with pytest.raises(pptpcap.CaptureError):
                pptpcap.read(header[:size], engine=engine)
        assert pptpcap.read(header, engine=engine).summary.packets == 0
    section = File(order).section().octets
    for size in range(1, 12):
        with pytest.raises(pptpcap.CaptureError):
            pptpcap.read(section[:size], engine=engine)
    for size in range(12, 28):
        got = decode(section[:size], engine)
        assert got.damaged
        assert issues(got) == [(1, "CONTAINER", "TRUNCATED_RECORD", 16 if size < 16 else 28, size)]
    assert not decode(section, engine).damaged


def test_file_that_is_replaced_while_it_is_read(engine, tmp_path):
    """The file that was opened is read to its end."""
    path, other = tmp_path / "ring.pcap", tmp_path / "other"
    path.write_bytes(pcap([FRAME] * 50))
    other.write_bytes(b"another file")
    batches = pptpcap.iterate(path, batch_packets=10, engine=engine)
    rows = len(next(batches).gre)
    os.replace(other, path)
    assert rows + sum(len(batch.gre) for batch in batches) == 50


def test_offsets_above_4_gib(tmp_path):
    """Three hundred blocks that nobody reads, of 16 MiB each, with holes for contents; then a packet."""
    path = tmp_path / "sparse.pcapng"
    size = 16 << 20
    with open(path, "wb") as file:
        file.write(File().section().interface().octets)
        for _ in range(300):
            file.write(struct.pack("<II", 0x0BAD, size))
            file.seek(size - 12, os.SEEK_CUR)
            file.write(struct.pack("<I", size))
        file.write(File().packet(FRAME, 0, 7).octets)
    got = decode(path, "compiled")
    assert column(got, "gre", "record_offset") == [48 + 300 * size]
    assert column(got, "gre", "time") == [7000]
    assert not got.damaged
    os.truncate(path, 48 + 300 * size + 79)
    got = decode(path, "compiled")
    assert issues(got) == [(1, "CONTAINER", "TRUNCATED_RECORD", 80, 79)]
    assert column(got, "issues", "record_offset") == [48 + 300 * size]


@pytest.mark.parametrize(
    "data", [pcap([FRAME, FRAME]), File().section().interface().packet(FRAME).packet(FRAME).octets]
)
def test_numbers_above_32_bits(engine, data):
    """As in the middle of a file of many TiB: the window lies at 2^45, and 2^40 packets came before."""
    module = importlib.import_module(MODULES[engine])
    assembler = module.Assembler((1723,), DEFAULT)
    assembler.begin_file()
    container = beginning(data)
    first = container.first_record
    scan = module.scan_range(
        data, first, len(data), container, (1723,), DEFAULT, packets_before=2**40, origin=2**45, final=True
    )
    assembler.feed(scan)
    assembler.finish()
    rows = assembler.take()["gre"]
    start = first or 48
    assert rows["packet"].tolist() == [2**40 + 1, 2**40 + 2]
    assert rows["record_offset"].tolist() == [2**45 + start, 2**45 + start + len(data[start:]) // 2]
    assert assembler.entities()["tunnels"]["last_packet"].tolist() == [2**40 + 2]


# ---- frames


def test_a_thousand_tags(engine):
    for tags in (9, 1000, 16_000):
        got = walk(pcap([ethernet(ipv4(b"", 47), tags=[0x8100] * tags), FRAME]), engine)
        assert issues(got) == [(1, "LINK", "TOO_DEEP", 8, 9)]
        only(got, ip_malformed=1, gre_packets=1)


def test_every_combination_of_flags():
    """Each segment once, alone and in a conversation, with the three reserved bits too: the twins agree on all of it."""
    segment = Conversation().segment(0, 0, echo(1))
    frames = []
    for bits in range(0x1000):
        changed = bytearray(segment)
        changed[32:34] = struct.pack(">H", 5 << 12 | bits)
        frames.append(ethernet(bytes(changed)))
    got = twins(pcap(frames))
    only(got, control_segments=4096)
    assert len(got["connections"]) >= 1
    for bits in range(0, 0x200, 3):
        talk = Conversation().handshake().client(0, echo(1)[:9])
        got = twins(pcap([*talk.packets, frames[bits], *Conversation().client(9, echo(1)[9:]).packets]))
        assert got.counters["control_segments"] == 6
        # the segment in the middle repeats the first, or resets, or begins anew: never a message of half of each
        assert all(identifier in (0, 1) for identifier in identifiers(got))


def test_every_first_word(engine):
    """Of GRE: version 1 is a row whose header is as long as S and A say, others are none."""
    words = np.arange(0x10000)[:: 1 if engine == "compiled" else 7]
    body = gre(b"\x00\x57" + bytes(10), 7, 8, 9)[2:]
    got = walk(pcap(gre_frame(struct.pack(">H", word) + body) for word in words.tolist()), engine)
    version1 = words & 7 == 1
    assert got["gre"]["flags_and_version"].tolist() == words[version1].tolist()
    s, a = (got["gre"]["flags_and_version"] & bit != 0 for bit in (0x1000, 0x0080))
    assert (got["gre"]["sequence_number"] == np.where(s, 8, 0)).all()
    assert (got["gre"]["acknowledgment_number"] == np.where(a, np.where(s, 9, 8), 0)).all()
    assert (got["gre"]["call_id"] == 7).all()
    only(got, gre_packets=int(version1.sum()), gre_other=int((~version1).sum()))
    assert kinds(got).count("WRONG_VERSION") == int((~version1).sum())
    assert kinds(got).count("FORBIDDEN_FLAGS") == int((version1 & (words & 0xCF78 != 0)).sum())
    assert kinds(got).count("NO_KEY") == int((version1 & (words & 0x2000 == 0)).sum())


def test_tunnel_in_a_tunnel(engine):
    """PPP that carries IP that carries GRE, or a control connection: the outermost is all that is read."""
    inner = ipv4(gre(ppp(ipv4(gre(b"\x00\x57", 3, 3), 47)), 2, 2), 47, SERVER, CLIENT)
    frames = [gre_frame(gre(ppp(inner), 1, 1)), gre_frame(gre(ppp(Conversation().segment(0, 0, echo(1))), 1, 2))]
    got = walk(pcap(frames), engine)
    assert column(got, "gre", "call_id") == [1, 1]
    assert column(got, "gre", "ppp_protocol") == [0x21, 0x21]
    assert len(got["tunnels"]) == 1
    assert issues(got) == []
    only(got, gre_packets=2)


@pytest.mark.parametrize(
    ("payload", "protocol"),
    [("00fd", 0xFD), ("fd", 0xFD), ("ff0300fd", 0xFD), ("002d", 0x2D), ("2f", 0x2F), ("003d", 0x3D), ("ff033d", 0x3D)],
)
def test_payload_that_is_not_read(engine, payload, protocol):
    """Encrypted, compressed, multilink: the protocol is told, and whatever follows is nobody's business."""
    noise = bytes(range(256)) * 5
    got = walk(pcap([gre_frame(gre(bytes.fromhex(payload) + noise[n:], 1, n)) for n in range(64)]), engine)
    assert column(got, "gre", "ppp_protocol") == [protocol] * 64
    assert statuses(got, "gre") == [set()] * 64
    assert issues(got) == []


def test_every_call_id_in_both_directions(engine):
    """Used again and again: a tunnel for each direction and id, and none more."""
    ids = range(0, 0x10000, 64)
    frames = [
        gre_frame(gre(b"\x21", n, turn), *ends)
        for turn in (1, 2, 1)
        for n in ids
        for ends in ((CLIENT, SERVER), (SERVER, CLIENT))
    ]
    got = walk(pcap(frames), engine)
    tunnels = got["tunnels"]
    assert len(tunnels) == 2 * len(ids)
    assert (tunnels["packets"] == 3).all()
    assert (tunnels["last_sequence"] == 2).all()
    assert (got["gre"]["tunnel"].reshape(3, -1) == np.arange(2 * len(ids))).all()
    assert issues(got) == []


# ---- control messages


@pytest.mark.parametrize("kind", range(1, 16))
def test_every_length_of_every_type(engine, kind):
    """From 0 to beyond the greatest: the size of the type alone is right, and the next message is found whatever it says."""
    size = SIZES[kind - 1]
    lengths = [0, 1, 11, 12, 13, size - 1, size, size + 1, 1023, 1024, 1025, 65535]
    for length in lengths:
        legal = 12 <= length <= 1024
        octets = control(kind, bytes(size - 12), length=length)
        octets = octets[:length].ljust(length, b"\0") if legal else octets
        got = walk(stream(octets, echo(7)), engine)
        assert identifiers(got)[-1] == 7
        assert len(got[TYPES[kind - 1]]) == legal + (kind == 5)
        wanted = [] if length == size else ["WRONG_LENGTH"] if legal else ["BAD_LENGTH", "SKIPPED"]
        # A message of a call that nothing else tells of.
        assert [kind for kind in kinds(got) if kind != "UNKNOWN_CALL"] == wanted
        assert statuses(got)[0] == (
            {"WRONG_LENGTH"} if legal and length != size else set() if legal else {"RESYNCHRONISED"}
        )


# ---- time


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_time_grows_with_the_packets(shape):
    """Four times as many take four times as long, not sixteen."""
    made = {count: shape(count) for count in (4_000, 16_000)}
    assert is_linear(lambda count: walk(made[count], "compiled", salvage=True), 4_000)
    got = walk(made[4_000], "compiled", salvage=True)
    assert got.counters["packets"] >= 1 or len(got["issues"])


def test_twins_on_shapes_made_to_be_slow():
    for shape in SHAPES.values():
        data = shape(300)
        same(walk(data, "compiled", records=7, salvage=True), twins(data, salvage=True), shape.__name__)


def test_shapes_hold_what_their_names_say():
    assert len(walk(syns(300), "compiled")["connections"]) == 300
    assert len(walk(tunnels(300), "compiled")["tunnels"]) == 300
    assert walk(datagrams(300), "compiled").counters["fragments"] == 300
    assert walk(fragments_twice(300), "compiled").counters["fragments_copied"] == 150
    assert len(walk(damaged_options(300), "compiled")["issues"]) == 300
    assert kinds(walk(SHAPES["extension_headers"](2000), "compiled")) == ["TOO_DEEP", "TOO_DEEP"]
    assert walk(SHAPES["packet_options"](300), "compiled").counters["gre_packets"] == 1
    assert column(walk(SHAPES["interface_options"](300), "compiled"), "gre", "packet") == [1]
    assert kinds(walk(SHAPES["carriers"](2), "compiled")) == ["TOO_DEEP", "TOO_DEEP"]
    assert walk(SHAPES["carrier_tags"](3000), "compiled").counters["gre_packets"] == 3
    assert walk(SHAPES["carrier_fragments"](300), "compiled").counters["fragments"] == 300
    assert column(walk(SHAPES["ppp_options"](1400), "compiled"), "ppp", "options") == [64, 64]
