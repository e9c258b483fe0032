"""``pptpcap calls`` in a line of a width: what is shown, what is cut, and what is never left out."""

from __future__ import annotations

import os
import pty
import subprocess

import pytest
from builder import pcap
from call_builder import Session, clear, disconnect, link_info, octets, outgoing_reply, outgoing_request, packet, stop
from captures import lab
from commands import ALL15, COMMAND, MSS88, call
from places import CAPTURES

HALF = CAPTURES / "quirk_bezeq_lcp_timeout.pcap"
V6 = bytes.fromhex("20010db8111122223333444455556666"), bytes.fromhex("20010db8999988887777666655554444")


def shown(monkeypatch, columns: object, *arguments: object) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, err = call("calls", *arguments)
    assert (code, err) == (0, "")
    return out.splitlines()


def test_80_columns(monkeypatch, engine):
    assert shown(monkeypatch, 80, "--engine", engine, MSS88) == [
        "call start    lasted PNS       PAC       reached ended      by  packets lost",
        "2026-11-22 (UTC)",
        "   0 13:02:54 12.6 s 10.77.0.2 10.77.0.1 network terminated PNS 22 + 23 0 + 0",
    ]
    assert shown(monkeypatch, 80, "--engine", engine, lab("auth_fail_mschapv2.pcap"))[2] == (
        "   0 12:55:26  0.8 s 10.77.0.2 10.77.0.1 link    login failed (691) PAC 5 + 6"
    )


def test_the_date_stands_where_it_changes(monkeypatch, tmp_path):
    path = tmp_path / "days.pcap"
    talk = Session()
    for day in (0, 0, 1):
        talk.client_says(outgoing_request(day)).after(86_400 * day)
    path.write_bytes(talk.pcap())
    assert [line for line in shown(monkeypatch, 80, path) if "(UTC)" in line] == [
        "2020-09-13 (UTC)",
        "2020-09-14 (UTC)",
    ]


@pytest.mark.parametrize(
    "name", ["multi8_clients.server.pcap", "loss5_reorder_dup.server.pcap", "fmt_gre_only_midstream.pcap"]
)
def test_no_line_is_longer_and_wider_ones_show_more(monkeypatch, name):
    before: set[str] = set()
    for columns in (80, 120, 160, 240):
        lines = shown(monkeypatch, columns, lab(name))
        assert max(map(len, lines)) <= columns
        titles = set(lines[0].split())
        assert before <= titles
        before = titles
    assert {"packets", "lost", "authentication", "encryption", "missing", "delay", "ids", "kind"} <= before


def long_addresses(tmp_path):
    """Calls between addresses as long as there are, that ended in the longest words."""
    path = tmp_path / "long.pcap"
    talk = Session(client=V6[0], server=V6[1])
    talk.outgoing(0xFFFF, 0xFFFE)
    talk.client_sends(0xFFFE, 0, payload=octets(packet("c021", 1, "0304 c023")))
    talk.server_sends(0xFFFF, 0, payload=octets(packet("c021", 4, "0304 c023")))
    talk.server_says(stop())
    path.write_bytes(talk.pcap())
    return path


def test_long_addresses_are_cut_on_the_left(monkeypatch, tmp_path):
    lines = shown(monkeypatch, 80, long_addresses(tmp_path))
    assert max(map(len, lines)) <= 80
    assert " ..4:5555:6666 ..6:5555:4444 " in lines[2]
    assert " login not agreed PAC" in lines[2]
    whole = shown(monkeypatch, 250, long_addresses(tmp_path))
    assert "2001:db8:1111:2222:3333:4444:5555:6666 2001:db8:9999:8888:7777:6666:5555:4444" in whole[2]


def test_half_a_conversation_is_marked(monkeypatch, tmp_path):
    path = tmp_path / "half.pcap"
    talk = Session(begins=False).server_says(outgoing_reply(0x22, 0x11)).server_sends(0x11, 0)
    path.write_bytes(talk.pcap())
    lines = shown(monkeypatch, 80, path)
    assert lines[2].startswith("  0* ")
    assert lines[-1] == "* half a conversation: of this call the capture has packets of one side alone"
    monkeypatch.delenv("COLUMNS")
    assert call("calls", path)[1].splitlines()[1].endswith("  PNS")


def test_what_is_missing(monkeypatch):
    """The last column of the whole table."""
    monkeypatch.delenv("COLUMNS", raising=False)
    for path, missing in {
        HALF: "GRE of PNS",
        lab("fmt_control_only.pcap"): "GRE",
        lab("fmt_gre_only.pcap"): "control",
        lab("fmt_gre_only_midstream.pcap"): "control, roles assumed, LCP",
        MSS88: "-",
    }.items():
        title, row = call("calls", path)[1].splitlines()
        assert title.endswith("  missing")
        assert row.endswith(f"  {missing}")


@pytest.mark.parametrize(
    ("side", "said", "end", "missing"),
    [
        (1, outgoing_reply(0x22, 0x11), clear(0x11), "request"),
        (0, outgoing_request(0x11), disconnect(0x22, 3), "reply"),
        (0, link_info(0x22), clear(0x11), "request and reply"),
    ],
)
def test_a_request_or_a_reply_that_is_missing(monkeypatch, tmp_path, side, said, end, missing):
    """The side that did not say it ended the call: that is no request, and no reply."""
    monkeypatch.delenv("COLUMNS", raising=False)
    talk = Session().say(side, said)
    for number, code in enumerate((1, 2)):
        talk.server_sends(0x11, number, payload=octets(packet("c021", code)))
        talk.client_sends(0x22, number, payload=octets(packet("c021", code)))
    path = tmp_path / "lacking.pcap"
    path.write_bytes(talk.say(1 - side, end).pcap())
    assert call("calls", path)[1].splitlines()[1].endswith(f"  {missing}")


def test_assumed_roles_are_marked(monkeypatch):
    lines = shown(monkeypatch, 80, lab("fmt_gre_only_midstream.pcap"))
    assert " terminated PAC? " in lines[2]
    assert lines[-1] == "? PNS and PAC are assumed: nothing in the capture tells which is which"


def test_names_are_shown_whatever_the_width(monkeypatch):
    lines = shown(monkeypatch, 60, "--identities", MSS88)
    assert lines[0].endswith(" names")
    assert lines[2].endswith(' "lab"')


@pytest.mark.parametrize("columns", ["", "0", "-5", "many", "٣"])
def test_columns_that_are_no_number_are_ignored(monkeypatch, columns):
    assert "authentication" in shown(monkeypatch, columns, ALL15)[0]


def test_terminal():
    """A pseudo-terminal of 80 columns and one of 200."""
    for columns in (80, 200):
        leader, follower = pty.openpty()
        os.set_blocking(leader, True)
        import fcntl
        import struct
        import termios

        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        subprocess.run([*COMMAND, "calls", str(MSS88)], stdout=follower, check=True, env=environment)
        os.close(follower)
        title = os.read(leader, 10_000).decode().splitlines()[0]
        os.close(leader)
        assert ("kind" in title) == (columns == 200)
        assert "start (UTC)" not in title


def test_no_calls(monkeypatch, tmp_path):
    path = tmp_path / "other.pcap"
    path.write_bytes(pcap([bytes(60)]))
    assert shown(monkeypatch, 80, path) == ["no calls"]


def test_calls_with_one_id_are_marked(monkeypatch):
    lines = shown(monkeypatch, 80, CAPTURES / "found" / "nat_same_callid.pcap")
    assert [line[:6] for line in lines[2:4]] == ["  0+ 2", "  1+ 2"]
    assert lines[4] == "+ another call has the same id: what is counted and concluded may be of either call"
    lines = shown(monkeypatch, 250, CAPTURES / "found" / "nat_same_callid.pcap")
    assert "MS-CHAPv2? " in lines[2]
    assert "an id of its own, GRE of PAC? " in lines[2]
    assert "MS-CHAPv2, accepted? " in lines[3]
