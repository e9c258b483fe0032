"""How a control connection ends, and what stands behind the end."""

from __future__ import annotations

import importlib

import pytest
from builder import Conversation, echo
from helpers import MODULES, column, container_of, decode, endings, identifiers, issues, statuses

from pptpcap.wire.limits import DEFAULT

OPEN, FIN, RST = 0, 1, 2


# ---- how one ends


def test_fin(engine):
    talk = Conversation().handshake().client(0, echo(1)).server(0, flags="FA", ack=16).client(16, flags="FA", ack=1)
    got = decode(talk.pcap(), engine)
    assert endings(got) == [(FIN, False, 5)]
    talk = (
        Conversation().handshake().client(0, echo(1), "FA").server(0, flags="FA", ack=17).server(0, flags="FA", ack=17)
    )
    assert endings(decode(talk.pcap(), engine)) == [(FIN, True, 4)]


@pytest.mark.parametrize("distance", [2**30, -(2**30), 2**31 - 1])
def test_fin_out_of_window(engine, distance):
    """Ignored: the data that follow stand behind nothing."""
    talk = Conversation().handshake().client(0, echo(1)).client(16 + distance, flags="FA").client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert endings(got) == [(OPEN, False, None)]
    assert statuses(got) == [set(), set()]


def test_fin_without_a_start(engine):
    """It ends the connection; where, nobody knows, so no data stand behind it."""
    talk = Conversation().client(0, flags="FA").client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert endings(got) == [(FIN, True, 1)]
    assert statuses(got) == [{"MIDSTREAM"}]


def test_reset_ends(engine):
    talk = Conversation().handshake().client(0, echo(1)).server(0, flags="R")
    assert endings(decode(talk.pcap(), engine)) == [(RST, False, 5)]
    talk = Conversation().handshake().client(0, echo(1), "FA").server(0, flags="R").client(17, flags="R")
    assert endings(decode(talk.pcap(), engine)) == [(FIN, True, 4)]


def test_refused_connection(engine):
    """SYN, then a reset whose number is 0: its sender's start is not known, so it is believed."""
    talk = Conversation(isn=(2**31, -1)).client(-1, flags="S").server(-1, flags="RA")
    got = decode(talk.pcap(), engine)
    assert endings(got) == [(RST, False, 2)]
    assert issues(got) == []
    assert column(got, "connections", "midstream") == [False]


@pytest.mark.parametrize("distance", [2**20 - 1, -(2**20 - 1), 100, -16])
def test_reset_in_its_window(engine, distance):
    talk = Conversation().handshake().client(0, echo(1)).client(16 + distance, flags="R")
    got = decode(talk.pcap(), engine)
    assert endings(got) == [(RST, True, 5)]
    assert issues(got) == []


@pytest.mark.parametrize("distance", [2**20, -(2**20), 2**31 - 1, -(2**31)])
def test_reset_out_of_its_window(engine, distance):
    talk = Conversation().handshake().client(0, echo(1)).client(16 + distance, flags="R").client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2]
    assert statuses(got) == [set(), set()]
    assert endings(got) == [(OPEN, False, None)]
    assert issues(got) == [(5, "TCP", "RESET_IGNORED", 2**20, abs(distance))]
    assert column(got, "connections", "initiator_segments") == [5]


def test_window_of_a_reset_is_that_of_contiguous_octets(engine):
    """What waits behind a hole moves it nowhere."""
    talk = Conversation().handshake().client(2**20, echo(1)).client(2**20 + 16, flags="R")
    got = decode(talk.pcap(), engine)
    assert issues(got)[0] == (5, "TCP", "RESET_IGNORED", 2**20, 2**20 + 16)


def test_data_of_a_reset_are_no_data(engine):
    talk = Conversation().handshake().client(0, echo(1)).client(16, echo(2), "R")
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1]
    assert issues(got) == []
    assert column(got, "connections", "initiator_octets") == [16]
    assert column(got, "connections", "initiator_data_segments") == [2]


# ---- behind the end


def test_data_behind_a_fin(engine):
    """Of the side that sent it; the other side may go on."""
    talk = Conversation().handshake().client(0, echo(1), "FA").server(0, echo(11)).client(16, echo(2))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 11, 2]
    assert statuses(got) == [set(), set(), {"AFTER_CLOSE"}]
    assert issues(got) == []


def test_data_in_front_of_a_fin_that_came_late(engine):
    talk = Conversation().handshake().client(32, flags="FA").client(16, echo(2)).client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [set(), set()]
    talk = Conversation().handshake().client(32, flags="FA").client(0, echo(1) + echo(2) + b"x")
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [{"AFTER_CLOSE"}, {"AFTER_CLOSE"}]
    assert issues(got) == [(5, "CONTROL", "HEADER_CUT", 12, 1)]


def test_first_fin_counts(engine):
    talk = (
        Conversation().handshake().client(16, flags="FA").client(48, flags="FA").client(0, echo(1)).client(16, echo(2))
    )
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [set(), {"AFTER_CLOSE"}]


def test_data_when_both_sides_have_closed(engine):
    """Even such as stand in front of the FIN."""
    talk = Conversation().handshake().client(16, flags="FA").server(0, flags="FA").client(0, echo(1))
    got = decode(talk.pcap(), engine)
    assert statuses(got) == [{"AFTER_CLOSE"}]


@pytest.mark.parametrize("side", [0, 1])
def test_data_behind_a_reset(engine, side):
    talk = Conversation().handshake().client(0, echo(1)).add(side, 16 if side == 0 else 0, flags="R")
    talk.client(16, echo(2)).server(0, echo(3))
    got = decode(talk.pcap(), engine)
    assert identifiers(got) == [1, 2, 3]
    assert statuses(got) == [set(), {"AFTER_CLOSE"}, {"AFTER_CLOSE"}]
    assert len(got["connections"]) == 1


def test_data_behind_an_ignored_reset(engine):
    talk = Conversation().handshake().client(2**21, flags="R").client(0, echo(1))
    assert statuses(decode(talk.pcap(), engine)) == [set()]


# ---- behind the end of the capture


def test_nothing_follows_the_end_of_a_capture(engine):
    data = Conversation().handshake().client(0, echo(1)).pcap()
    module = importlib.import_module(MODULES[engine])
    assembler = module.Assembler((1723,), DEFAULT)
    assembler.begin_file()
    scans = [module.scan_range(data, 24, len(data), container_of(data), (1723,), DEFAULT) for _ in range(2)]
    assembler.feed(scans[0])
    assembler.finish()
    rows = assembler.take(), assembler.entities()
    with pytest.raises(ValueError, match="has ended"):
        assembler.feed(scans[1])
    assert len(rows[0]["messages"]) == len(rows[1]["connections"]) == 1
    assert not any(map(len, assembler.take().values()))
    assert (assembler.entities()["connections"].view("u1") == rows[1]["connections"].view("u1")).all()
