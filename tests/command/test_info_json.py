"""``info --json``: one object with all that ``info`` prints.

The facts of mss88.pcap are those that the README has; times and offsets are those of the record headers.
"""

from __future__ import annotations

import json

from builder import control, echo, stream
from commands import ALL15, MSS88, NO_REPLY, call
from places import CAPTURES

from pptpcap.engine import COUNTERS

KEYS = "files damaged earliest latest span_ns duplicates counters messages issues connections tunnels".split()


def told(*arguments):
    code, out, err = call("info", "--json", *arguments)
    assert code == 0
    assert (out[-1], out.count("\n")) == ("\n", 1)
    return json.loads(out), err


def test_json_has_what_info_prints(engine):
    document, err = told("--engine", engine, MSS88)
    assert err == ""
    assert list(document) == KEYS
    assert document["files"] == [
        {
            "path": str(MSS88),
            "format": "pcap",
            "compression": None,
            "byte_order": "little",
            "resolution": "us",
            "interfaces": 1,
            "link_types": [1],
            "link": "ETHERNET",
            "snap_length": 262144,
            "parts": 1,
            "size": 15764,
            "packets": 109,
            "damaged": False,
        }
    ]
    assert document["damaged"] is False
    assert document["duplicates"] == "keep"
    assert document["earliest"] == "2026-11-22T13:02:48.997012000Z"
    assert document["latest"] == "2026-11-22T13:03:07.474795000Z"
    assert document["span_ns"] == 18_477_783_000
    assert list(document["counters"]) == list(COUNTERS)
    assert {name: count for name, count in document["counters"].items() if count} == {
        "packets": 109,
        "captured_octets": 13996,
        "original_octets": 13996,
        "not_ip": 2,
        "ip_other": 3,
        "control_segments": 47,
        "gre_packets": 57,
    }
    assert [tuple(message.values()) for message in document["messages"]] == [
        ("SCCRQ", "start_control_connection_request", 1, 1, 1, 0),
        ("SCCRP", "start_control_connection_reply", 1, 2, 0, 1),
        ("ECHORQ", "echo_request", 1, 5, 6, 0),
        ("ECHORP", "echo_reply", 1, 6, 0, 6),
        ("OCRQ", "outgoing_call_request", 1, 7, 1, 0),
        ("OCRP", "outgoing_call_reply", 1, 8, 0, 1),
        ("CCRQ", "call_clear_request", 1, 12, 1, 0),
    ]
    keys = "message name message_type control_message_type from_initiator from_responder".split()
    assert list(document["messages"][0]) == keys
    assert document["issues"] == []
    assert document["connections"]["count"] == 1
    (connection,) = document["connections"]["rows"]
    expected = {
        "connection": 0,
        "initiator_address": "10.77.0.2",
        "initiator_port": 40306,
        "responder_address": "10.77.0.1",
        "responder_port": 1723,
        "vlan": None,
        "first_packet": 4,
        "last_packet": 109,
        "midstream": False,
        "initiator_protocol_version": 0x0100,
        "initiator_firmware_revision": 1,
        "initiator_host_name": "local",
        "initiator_vendor_name": "cananian",
        "initiator_messages": 9,
        "initiator_octets": 436,
        "responder_vendor_name": "linux",
        "responder_messages": 8,
        "responder_octets": 308,
        "end": "FIN",
        "end_from_initiator": True,
    }
    assert {name: connection[name] for name in expected} == expected
    assert document["tunnels"]["count"] == 2
    columns = "tunnel source destination call_id packets payload_octets acks first_sequence last_sequence".split()
    assert [[tunnel[name] for name in columns] for tunnel in document["tunnels"]["rows"]] == [
        [0, "10.77.0.2", "10.77.0.1", 0, 22, 3565, 7, 1, 22],
        [1, "10.77.0.1", "10.77.0.2", 18458, 23, 3565, 5, 0, 22],
    ]


def test_json_of_several_files_is_one_capture():
    document, _ = told("--limit", "1", MSS88, NO_REPLY)
    assert [file["path"] for file in document["files"]] == [str(MSS88), str(NO_REPLY)]
    assert document["counters"]["packets"] == sum(file["packets"] for file in document["files"]) == 163
    assert [(document[name]["count"], len(document[name]["rows"])) for name in ("connections", "tunnels")] == [
        (2, 1),
        (4, 1),
    ]
    document, _ = told("--limit", "0", MSS88, NO_REPLY)
    assert [row["tunnel"] for row in document["tunnels"]["rows"]] == [0, 1, 2, 3]


def test_json_has_the_issues_and_the_first_of_each():
    document, _ = told(ALL15)
    assert document["issues"][0] == {
        "severity": "VIOLATION",
        "layer": "PPP",
        "kind": "PPP_OPTION",
        "count": 2,
        "first_time": "2026-11-22T13:18:49.629614000Z",
        "first_file": 0,
        "first_packet": 22,
        "first_record_offset": 2294,
        "first": "packet 22, offset 2294: an option of a PPP packet claims 6 octets, 4 are left",
    }


def test_json_of_nothing(tmp_path):
    header, nothing = tmp_path / "header.pcap", tmp_path / "nothing.pcap"
    header.write_bytes(MSS88.read_bytes()[:24])
    nothing.write_bytes(b"")
    document, _ = told(header, nothing)
    assert list(document) == KEYS
    assert [file["format"] for file in document["files"]] == ["pcap", "empty"]
    assert [file["link"] for file in document["files"]] == ["ETHERNET", None]
    assert [file["snap_length"] for file in document["files"]] == [262144, None]
    assert (document["earliest"], document["latest"], document["span_ns"]) == (None, None, None)
    assert document["messages"] == []
    assert document["connections"] == document["tunnels"] == {"count": 0, "rows": []}
    assert not any(document["counters"].values())
    assert [(issue["kind"], issue["count"], issue["first_time"]) for issue in document["issues"]] == [
        ("NO_PACKETS", 2, None)
    ]


def test_json_of_unknown_messages_and_of_a_start_that_was_not_seen(tmp_path):
    path = tmp_path / "odd.pcap"
    path.write_bytes(stream(control(99, b"1234"), echo(1), control(5, b"", message_type=7)))
    document, _ = told(path)
    assert [tuple(message.values()) for message in document["messages"]] == [
        ("ECHORQ", "echo_request", 1, 5, 1, 0),
        ("control-type-99", None, 1, 99, 1, 0),
        ("message-type-7", None, 7, 5, 1, 0),
    ]
    (connection,) = document["connections"]["rows"]
    assert (connection["initiator_host_name"], connection["initiator_protocol_version"]) == (None, None)


def test_json_says_whether_copies_were_left_out():
    """The numbers are those of test_cli_copies, where `calls` and words tell them."""
    for options, said, packets in (((), "keep", [18, 20]), (("--drop-duplicates",), "drop", [9, 10])):
        document, _ = told(*options, CAPTURES / "found" / "span_dup.pcap")
        assert (document["duplicates"], document["counters"]["copies"]) == (said, 37)
        assert [tunnel["packets"] for tunnel in document["tunnels"]["rows"]] == packets


def test_json_of_a_damaged_file(tmp_path):
    path = tmp_path / "cut.pcap"
    path.write_bytes(MSS88.read_bytes()[:-1])
    code, out, err = call("info", "--json", path)
    document = json.loads(out)
    assert (code, document["damaged"], document["files"][0]["damaged"]) == (3, True, True)
    assert document["issues"][0]["severity"] == "DAMAGE"
    assert err.startswith(f"pptpcap: {path}: damaged: packet 109, offset ")
