"""``pptpcap calls``: the table, the JSON lines, the audit, and who is named."""

from __future__ import annotations

import json

from call_builder import Session
from captures import lab
from commands import ALL15, MSS88, call
from places import CAPTURES

from pptpcap.wire.calls import CALLS

PAP_FAILED = CAPTURES / "auth_fail_pap.pcap"
REFUSED = CAPTURES / "connection_refused.pcap"
ENDS = ("10.77.0.2", "10.77.0.1")


def cells(line):
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_table(engine):
    code, out, err = call("calls", "--engine", engine, MSS88)
    assert (code, err) == (0, "")
    title, row = map(cells, out.splitlines())
    assert dict(zip(title, row, strict=True)) == {
        "call": "0",
        "start (UTC)": "2026-11-22 13:02:54.835268",
        "lasted": "12.557 s",
        "PNS": "10.77.0.2",
        "PAC": "10.77.0.1",
        "ids": "18458 + 0",
        "kind": "outgoing",
        "reached": "network",
        "ended": "terminated by PNS",
        "packets": "22 + 23",
        "lost": "0 + 0",
        "ack delay": row[title.index("ack delay")],
        "authentication": "MS-CHAPv2, accepted",
        "encryption": "MPPE 128 stateless",
        "missing": "-",
    }


def test_calls_of_every_kind_and_end():
    _, out, _ = call("calls", ALL15)
    outgoing, incoming, refused = out.splitlines()[1:]
    assert "cleared by PNS" in outgoing
    assert "incoming" in incoming
    assert "disconnected (1) by PAC" in incoming
    assert "refused (4) by PAC" in refused
    assert "21845 + -" in refused


def test_why_calls_ended():
    """In words, with the code where the reason has one."""
    told = {
        "auth_fail_mschapv2.pcap": "login failed (691), ended by PAC",
        "auth_fail_pap.pcap": "login failed, ended by PNS",
        "auth_mismatch_lcp_reject.pcap": "authentication not agreed, ended by PAC",
        "quirk_bezeq_lcp_timeout.pcap": "no PPP from the PNS, ended by PAC",
        "link_cut_then_server_lcp_timeout.pcap": "PNS silent, ended by PAC",
        "killed_client.pcap": "lost (FIN) by PNS",
        "sigterm_pptpctrl_ignored.pcap": "open",
        "fmt_gre_only_midstream.pcap": "terminated by PAC (assumed)",
    }
    for name, words in told.items():
        _, out, _ = call("calls", lab(name))
        titles, row = map(cells, out.splitlines())
        assert row[titles.index("ended")] == words, name


def test_no_calls():
    assert call("calls", REFUSED) == (0, "no calls\n", "")
    assert call("calls", "--audit", REFUSED) == (0, "no calls\n", "")
    assert call("calls", "--json", REFUSED) == (0, "", "")


def test_json_has_every_column(engine):
    code, out, _ = call("calls", "--json", "--engine", engine, ALL15)
    documents = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    for document in documents:
        assert list(document) == ["call", *(column.name for column in CALLS.columns)]
    outgoing, incoming, refused = documents
    assert outgoing["pns_call_id"] == 4369
    assert outgoing["disconnect_cause_code"] == 16
    assert (outgoing["end"], outgoing["end_from_pns"]) == ("CALL_CLEAR", True)
    assert (outgoing["phase"], outgoing["reason"], outgoing["ended_by"]) == ("NETWORK", "CLEARED", "PNS")
    assert outgoing["start_time"] == "2026-11-22T13:18:49.407062000Z"
    assert incoming["kind"] == "INCOMING"
    assert incoming["wan_error_notifies"] == 1
    # What was not on the wire is null, not 0.
    assert refused["pac_call_id"] is None
    assert refused["call_serial_number"] is None
    assert refused["connect_time"] is None
    assert refused["pns_tunnel"] is None
    assert refused["pns_mru"] is None
    assert refused["status"] == ["REQUEST_NOT_SEEN"]


def test_audit(engine):
    """A table of findings, what each kind means and what to do, and totals; the packets are those of both files."""
    _, out, _ = call("calls", "--audit", "--engine", engine, MSS88, PAP_FAILED)
    table, *kinds, totals = out.rstrip("\n").split("\n\n")
    keys = "pns_mppe_bits 0x01000040, pac_mppe_bits 0x01000040, encrypted_packets 14"
    assert [cells(line) for line in table.splitlines()] == [
        ["call", "PNS", "PAC", "severity", "finding", "seen", "packets"],
        ["0", *ENDS, "HIGH", "MS_CHAP_V2", "pns_authentication MS_CHAP_V2, pns_authenticated YES", "29, 35, 36"],
        ["0", *ENDS, "MEDIUM", "NO_INTEGRITY", keys, "39, 40, 52, 53"],
        ["1", *ENDS, "CRITICAL", "PAP", "pns_authentication PAP, pns_authenticated REFUSED", "127, 129, 130"],
    ]
    assert [kind.splitlines()[0] for kind in kinds] == [
        "PAP, CRITICAL, 1 call",
        "MS_CHAP_V2, HIGH, 1 call",
        "NO_INTEGRITY, MEDIUM, 1 call",
        "PPTP, MEDIUM, the whole capture",
    ]
    assert kinds[0].splitlines()[1:] == [
        "  PAP sends the password in clear: whoever is on the path reads it.",
        "  What to do: Disable PAP on both sides, and change every password that was used with it. Use",
        "  EAP-TLS instead, or replace PPTP.",
    ]
    assert "  Seen: call 0: phase NETWORK, packet 23." in kinds[3].splitlines()
    assert totals == "2 calls: 2 with findings (1 CRITICAL, 1 HIGH), 0 without, 0 of which too little was seen"


def test_audit_without_findings():
    """The call was connected, and LCP never opened."""
    _, out, _ = call("calls", "--audit", lab("quirk_bezeq_lcp_timeout.pcap"))
    assert out.splitlines()[-1] == "1 call: 0 with findings, 0 without, 1 of which too little was seen"


def test_audit_as_json():
    _, out, _ = call("calls", "--audit", "--json", MSS88, PAP_FAILED)
    *calls, last = map(json.loads, out.splitlines())
    for document in calls:
        assert list(document) == ["call", *(column.name for column in CALLS.columns), "findings"]
    assert [[finding["weakness"] for finding in document["findings"]] for document in calls] == [
        ["MS_CHAP_V2", "NO_INTEGRITY"],
        ["PAP"],
    ]
    (finding,) = calls[1]["findings"]
    assert finding == {
        "weakness": "PAP",
        "severity": "CRITICAL",
        "meaning": "PAP sends the password in clear: whoever is on the path reads it",
        "advice": "Disable PAP on both sides, and change every password that was used with it. "
        "Use EAP-TLS instead, or replace PPTP.",
        "seen": "pns_authentication PAP, pns_authenticated REFUSED",
        "packets": [127, 129, 130],
    }
    assert last["totals"] == {
        "calls": 2,
        "with_findings": 2,
        "without_findings": 0,
        "nothing_seen": 0,
        "severities": {"CRITICAL": 1, "HIGH": 1},
        "weaknesses": {"PAP": 1, "MS_CHAP_V2": 1, "NO_INTEGRITY": 1},
    }
    assert [(finding["weakness"], finding["packets"]) for finding in last["findings"]] == [("PPTP", [23])]


def test_names_only_where_asked_for(engine):
    for extra in ([], ["--json"], ["--audit"]):
        assert "lab" not in call("calls", "--engine", engine, *extra, MSS88)[1].replace("available", "")
    _, out, _ = call("calls", "--engine", engine, "--identities", MSS88)
    assert '"lab"' in out
    document = json.loads(call("calls", "--engine", engine, "--identities", "--json", MSS88)[1])
    assert document["pns_name"] == "lab"


def test_secrets_are_nowhere(engine):
    for extra in ([], ["--json"], ["--audit"], ["--identities"], ["--identities", "--json"]):
        _, out, err = call("calls", "--engine", engine, *extra, PAP_FAILED)
        assert "wrong" not in out + err


def test_a_call_lasts_until_it_is_ended(tmp_path):
    """Request at 3 s, reply at 4 s, and a segment without a message at 34 s, which ends the call if it is a FIN."""
    path = tmp_path / "lasts.pcap"
    talk = Session().outgoing(1, 2)
    for flags, lasted in (("A", "1.000 s"), ("FA", "31.000 s")):
        path.write_bytes(talk.server_says(flags=flags).after(34).pcap())
        titles, row = map(cells, call("calls", path)[1].splitlines()[:2])
        assert row[titles.index("lasted")] == lasted


def test_a_clock_that_was_put_back_gives_no_duration(tmp_path):
    """The call's last packet comes before its first."""
    path = tmp_path / "back.pcap"
    path.write_bytes(Session().outgoing(1, 2).after(50).server_sends(1, 1).after(2).client_says().after(-1).pcap())
    code, out, _ = call("calls", path)
    assert code == 0
    titles, row = map(cells, out.splitlines()[:2])
    assert row[titles.index("lasted")] == "-"
    assert "of unknown duration" in call("info", path)[1]


def test_two_clients_with_one_id_are_told_in_the_list(tmp_path):
    one = Session().outgoing(0x11, 0x22).client_sends(0x22, 1)
    Session(one.packets, port=40001).outgoing(0x11, 0x23).client_sends(0x23, 1).server_sends(0x11, 1)
    path = tmp_path / "nat.pcap"
    path.write_bytes(one.pcap())
    lines = call("calls", path)[1].splitlines()[1:3]
    assert all("an id of its own" in line for line in lines)
