"""``pptpcap trace``: its lines, its JSON, which calls it tells of, and what it refuses."""

from __future__ import annotations

import json
import os

import pytest
from call_builder import Session, octets, outgoing_request, packet
from captures import WALKED, lab, walked
from commands import ALL15, MSS88, call
from helpers import ENGINES
from places import CAPTURES

import pptpcap
from pptpcap.cli import trace as module

REFUSED = CAPTURES / "connection_refused.pcap"
HALF = CAPTURES / "quirk_bezeq_lcp_timeout.pcap"


def test_lines(engine):
    code, out, err = call("trace", "--engine", engine, CAPTURES / "killed_server.pcap")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == ("call 0: PNS 10.77.0.2 id 61224, PAC 10.77.0.1 id 0; MS-CHAPv2, accepted; MPPE 128 stateless")
    assert lines[1] == (
        "2026-11-22 13:02:42.299015   5       TCP connection 10.77.0.2:49408 > 10.77.0.1:1723 begins: SYN or SYN-ACK"
    )
    assert lines[-5:-2] == [
        "2026-11-22 13:02:48.996624  53  PAC  TCP connection ends: FIN",
        "2026-11-22 13:02:48.999343  54  PNS  Call-Clear-Request: call id 61224",
        "2026-11-22 13:02:48.996624  53  PAC  ended: lost (FIN), PAC first; reached: network; "
        "FIN of the PAC in packet 53",
    ]
    assert lines[-2].startswith("diagnosis: The server (PAC) ended the control connection with a FIN while ")
    assert lines[-1].startswith("  try: Look into the log of that side: ")


def test_what_is_missing_has_no_time():
    _, out, _ = call("trace", HALF)
    assert out.splitlines()[1] == (
        "-                                  PNS  the call has no Enhanced GRE of the PNS, "
        "though the capture has its TCP segments"
    )


def test_assumed_roles_are_marked():
    _, out, _ = call("trace", lab("fmt_gre_only_midstream.pcap"))
    assert out.startswith("call 0: PNS (assumed) 10.77.0.1 id 0, PAC (assumed) 10.77.0.2 id 28635; in clear\n")


def test_which_calls():
    titles = [line for line in call("trace", ALL15)[1].splitlines() if line.startswith("call ")]
    assert [title.partition(":")[0] for title in titles] == ["call 0", "call 1", "call 2"]
    # A blank line between two.
    assert call("trace", ALL15)[1].split("\n\n")[1].startswith("call 1: ")
    one, two = call("trace", "--call", 2, ALL15)[1], call("trace", "--call", 2, "--call", 0, "--call", 2, ALL15)[1]
    assert one.startswith("call 2: ")
    assert two.endswith("\n\n" + one)
    assert two.startswith("call 0: ")


def test_too_many_calls_are_not_told_unasked(tmp_path):
    path = tmp_path / "many.pcap"
    talk = Session()
    for number in range(21):
        talk.client_says(outgoing_request(number))
    path.write_bytes(talk.pcap())
    code, out, err = call("trace", path)
    assert (code, out) == (2, "")
    assert "The capture has 21 calls; choose with --call." in err
    assert call("trace", "--call", 20, path)[1].startswith("call 20: ")
    code, out, err = call("trace", "--call", 21, path)
    assert (code, out) == (2, "")
    assert "There is no call 21; the capture has 21, counted from 0." in err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--address", "10.77.0.13"], [2, 8]),
        (["--address", "10.77.0.13", "--from", "2026-11-22T13:00:00"], [8]),
        (["--to", "2026-11-22T12:59:00"], [0, 1]),
        (["--connection", "4", "--connection", "6"], [4, 6]),
        (["--address", "10.77.0.13", "--call", "8", "--call", "3"], [8]),
        (["--address", "192.0.2.1"], []),
        (["--address", "10.77.0.13", "--call", "3"], []),
    ],
)
def test_calls_that_fulfil_conditions(options, told):
    """Addresses and times are those that the command calls prints; each call has a connection of its own here."""
    whole = call("trace", lab("multi8_clients.server.pcap"))[1].split("\n\n")
    code, out, err = call("trace", *options, lab("multi8_clients.server.pcap"))
    assert (code, err) == (0, "")
    assert [one.rstrip("\n") for one in out.split("\n\n")] == ([whole[n].rstrip("\n") for n in told] or ["no calls"])


def test_conditions_that_are_wrong_or_hold_for_too_many(tmp_path):
    path = tmp_path / "many.pcap"
    talk = Session()
    for number in range(21):
        talk.client_says(outgoing_request(number))
    path.write_bytes(talk.pcap())
    for options, words in (
        (["--connection", 0], "21 calls fulfil this; choose with --call."),
        (["--connection", 0, "--call", 21], "There is no call 21; the capture has 21, counted from 0."),
        (["--from", "\x1b[31m"], "time: '\\\\x1b[31m' is no time such as"),
        (["--address", "10.0.0.0/40"], "address: '10.0.0.0/40' is no address or network"),
    ):
        code, out, err = call("trace", *options, path)
        assert (code, out) == (2, "")
        assert words in err and "\x1b" not in err


def test_no_calls(tmp_path):
    path = tmp_path / "quiet.pcap"
    path.write_bytes(Session().pcap())
    assert call("trace", path) == (0, "no calls\n", "")
    assert call("trace", "--json", path) == (0, "", "")


def test_what_is_wrong_without_a_call():
    code, out, err = call("trace", REFUSED)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "no calls",
        "",
        "capture:",
        "diagnosis: 10.77.0.1:1723 answered the SYN of 10.77.0.2:57824 with a reset (packets 3 and 4): nothing listens "
        "there, or a firewall rejects it.",
        "  try: Check that the PPTP service runs and listens on TCP port 1723, and that no firewall rejects it. A "
        "Windows client shows error 800.",
    ]
    (document,) = map(json.loads, call("trace", "--json", REFUSED)[1].splitlines())
    assert (document["call"], document["connection"], document["kind"]) == (None, 0, "DIAGNOSIS")
    assert (document["name"], document["packets"]) == ("CONNECTION_REFUSED", [3, 4])


def test_some_of_many_connections_without_a_call(tmp_path):
    path = tmp_path / "many.pcap"
    talk = Session(begins=False)
    for port in range(1, 26):
        Session(talk.packets, begins=False, port=port).client(-1, flags="S").server(-1, flags="RA")
    Session(talk.packets).outgoing(0x11, 0x22)
    path.write_bytes(talk.pcap())
    told = [line for line in call("trace", path)[1].splitlines() if line.startswith("diagnosis: ")]
    assert len(told) == 20
    assert told[-1].startswith("diagnosis: 10.0.0.1:1723 answered the SYN of 10.0.0.2:20 with a reset ")
    # Whoever names a call asks for that.
    assert "diagnosis" not in call("trace", "--call", 0, path)[1]


OTHER_ID = Session().outgoing(0x11, 0x22)
for _number in range(3):
    OTHER_ID.server_sends(0x11, _number, payload=octets(packet("c021", 1)))
OTHER_ID.client_sends(0x23, 0)


@pytest.mark.slow
@pytest.mark.parametrize("size", [50, 16 << 20])
@pytest.mark.parametrize("name", [*(name for name in WALKED if "inner" not in name), "other id"])
def test_it_tells_what_diagnose_tells(tmp_path, monkeypatch, name, size):
    path = tmp_path / "other.pcap"
    path.write_bytes(OTHER_ID.pcap() if name == "other id" else walked(name).read_bytes())
    expected = pptpcap.read(path).diagnose()
    monkeypatch.setattr(module, "_BATCH_BYTES", max(size, path.stat().st_size // 20))
    documents = [json.loads(line) for line in call("trace", "--json", path)[1].splitlines()]
    told = [one for one in documents if one["kind"] in ("DIAGNOSIS", "NOTE")]
    assert [(one["text"], one["packets"], one["advice"]) for one in told] == [
        (one.sentence, list(one.packets), one.advice) for one in sorted(expected, key=lambda one: one.call < 0)
    ]
    assert [one["call"] for one in told if one["call"] is not None] == [one.call for one in expected if one.call >= 0]
    assert name != "other id" or told[0]["name"] == "GRE_OTHER_ID"


def test_what_cannot_be_read_twice_is_refused(tmp_path):
    code, out, err = call("trace", "-")
    assert (code, out) == (2, "")
    assert "standard input can be read only once" in err
    os.mkfifo(tmp_path / "pipe")
    code, out, err = call("trace", tmp_path / "pipe")
    assert (code, out) == (2, "")
    assert "is a pipe; write it to a file first" in err
    code, out, err = call("trace", tmp_path / "missing")
    assert (code, out, err) == (1, "", f"pptpcap: {tmp_path}/missing: No such file or directory\n")


def test_json(engine):
    code, out, _ = call("trace", "--json", "--engine", engine, lab("auth_fail_mschapv2.pcap"))
    assert code == 0
    documents = [json.loads(line) for line in out.splitlines()]
    assert documents[11] == {
        "call": 0,
        "time": "2026-11-22T12:55:27.223680000Z",
        "packets": [21],
        "side": "PAC",
        "kind": "AUTHENTICATION",
        "name": "Failure",
        "text": "CHAP Failure id 125: error 691 (authentication failure)",
    }
    assert (documents[-2]["kind"], documents[-2]["packets"]) == ("END", [21, 22])
    last = documents[-1]
    assert last.pop("text").startswith("The server (PAC) refused the login of the client (PNS) with MS-CHAPv2: ")
    assert last == {
        "call": 0,
        "time": None,
        "packets": [21],
        "side": None,
        "kind": "DIAGNOSIS",
        "name": "AUTHENTICATION_FAILED",
        "connection": 0,
        "advice": "Check name, password and domain, and that the server allows this account and this method. A Windows "
        "client shows error 691.",
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["loss5_reorder_dup.server.pcap", "multi8_clients.server.pcap"])
def test_batches_do_not_matter(monkeypatch, name):
    expected = call("trace", "--json", lab(name))
    monkeypatch.setattr(module, "_BATCH_BYTES", 5_000)
    for engine in ENGINES:
        assert call("trace", "--json", "--engine", engine, lab(name)) == expected
    assert len(expected[1].splitlines()) > 50


def test_names_only_where_asked_for(engine):
    assert '"lab"' not in call("trace", "--engine", engine, MSS88)[1]
    _, out, _ = call("trace", "--engine", engine, "--identities", MSS88)
    assert out.startswith('call 0: PNS 10.77.0.2 id 18458 name "lab", PAC 10.77.0.1 id 0')


def test_damaged_input_is_finished_and_3(tmp_path, engine):
    path = tmp_path / "cut.pcap"
    path.write_bytes(MSS88.read_bytes()[:6000])
    code, out, err = call("trace", "--engine", engine, path)
    assert code == 3
    assert "open: the capture has no end of it" in out.splitlines()[-1]
    assert err.startswith(f"pptpcap: {path}: damaged: packet ")
