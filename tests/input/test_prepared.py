"""What the compiled engine keeps of a section's interfaces from one scan to the next."""

from __future__ import annotations

import pickle
import time
from dataclasses import replace

from builder import gre, gre_frame
from helpers import issues
from pcapng_builder import started
from walks import beginning, walk

from pptpcap import core, reference
from pptpcap.wire.container import Interface
from pptpcap.wire.limits import DEFAULT

FRAME = gre_frame(gre(b"\x00\x57", sequence=1))


def scanned(engine, data, container):
    return engine.scan_range(data, 0, len(data), container, (1723,), DEFAULT)


def test_same_container_whatever_is_kept():
    data = started().interface(113, snap=7).packets(FRAME).octets
    one, other = (scanned(engine, data, beginning(data)).container for engine in (core, reference))
    assert one == other
    assert one.interfaces == (Interface(1, 0), Interface(113, 7))
    assert repr(one) == repr(other)


def test_what_is_kept_is_used_for_no_other_interfaces():
    """A container with other interfaces is another, though it was made from one that has something prepared."""
    data = started().octets
    container = scanned(core, data, beginning(data)).container
    packet = started().packets(FRAME).octets[48:]
    changed = replace(container, interfaces=(Interface(147, 0),))
    (one, other) = (scanned(engine, packet, changed) for engine in (core, reference))
    for engine, scan in ((core, one), (reference, other)):
        assembler = engine.Assembler((1723,), DEFAULT)
        assembler.feed(scan)
        assert assembler.counters["unsupported_link"] == 1
    assert len(assembler.take()["gre"]) == 0


def test_container_can_be_sent_elsewhere():
    data = started().octets
    container = scanned(core, data, beginning(data)).container
    sent = pickle.loads(pickle.dumps(container))
    assert sent == container
    packet = started().packets(FRAME).octets[48:]
    assembler = core.Assembler((1723,), DEFAULT)
    assembler.feed(scanned(core, packet, sent))
    assert len(assembler.take()["gre"]) == 1


def test_many_interfaces_and_scans_of_one_packet():
    """They are converted once, not once a packet."""
    file = started()
    for _ in range(20_000):
        file.interface()
    data = file.packets(*[FRAME] * 2_000).octets
    began = time.process_time()
    got = walk(data, "compiled", records=1)
    assert time.process_time() - began < 5
    assert got.counters["gre_packets"] == 2_000


def test_link_that_is_not_read_is_told_once_for_each_interface_and_section(engine):
    file = started(link=147).interface(148).interface(1)
    for number in (1, 0, 1, 2, 0):
        file.packet(FRAME, number)
    file.section().interface(149).packet(FRAME, 0).packet(FRAME, 0)
    for records in (0, 1, 3):
        got = walk(file.octets, engine, records=records)
        assert issues(got) == [
            (1, "LINK", "UNSUPPORTED_LINK", 1, 148),
            (2, "LINK", "UNSUPPORTED_LINK", 0, 147),
            (6, "LINK", "UNSUPPORTED_LINK", 0, 149),
        ]
