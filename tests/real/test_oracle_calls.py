"""Calls of real captures against the independent walk that stands beside each of them."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import Any

import numpy as np
import pytest
from test_oracle import FILES, decoded, expected

from pptpcap.wire.status import CallStatus

pytestmark = pytest.mark.slow

KINDS = {"outgoing": 1, "incoming": 2}
# What the walk says of an end, and the number that the table has.
CLEARED = 1
ENDS = {None: 0, "CDN": 2, "StopCCRQ": 3, "FIN": 4, "refused": 8}
# Columns by the words of the walk, which has None where there was none.
CODES = {
    "pns_call_id": "pns_call_id",
    "pac_call_id": "pac_call_id",
    "serial": "call_serial_number",
    "result": "result_code",
    "error": "error_code",
    "disconnect_result": "disconnect_result_code",
    "disconnect_error": "disconnect_error_code",
    "disconnect_cause": "disconnect_cause_code",
    "set_link_info": "set_link_infos",
    "wan_error": "wan_error_notifies",
}
TIMES = {
    "first_time": "start_time",
    "connect_time": "connect_time",
    "clear_request_time": "clear_time",
    "disconnect_time": "disconnect_time",
    "end_time": "end_time",
}
FIGURES = {
    "packets": "packets",
    "acks": "acks",
    "payload_octets": "payload_octets",
    "first_seq": "first_sequence",
    "highest_seq": "last_sequence",
    "lost": "lost",
    "duplicates": "duplicated",
    "reordered": "reordered",
}


def address(octets: np.ndarray) -> str:
    whole = ipaddress.IPv6Address(octets.tobytes())
    return str(whole.ipv4_mapped or whole)


def instant(time: np.datetime64) -> int | None:
    return None if np.isnat(time) else int(time.astype(np.int64))


def figures(row: np.void, side: str) -> dict[str, int]:
    return {name: int(row[f"{side}_{column}"]) for name, column in FIGURES.items()}


def of_row(row: np.void) -> dict[str, Any]:
    """A call in the words of the walk."""
    return {
        "kind": int(row["kind"]),
        "connection": int(row["connection"]),
        "pns": address(row["pns_address"]),
        "pac": address(row["pac_address"]),
        "end": int(row["end"]),
        "first_frame": int(row["first_packet"]),
        **{name: int(row[column]) for name, column in CODES.items()},
        **{name: instant(row[column]) for name, column in TIMES.items()},
        **{f"from_{side}": figures(row, side) for side in ("pns", "pac")},
    }


def first_end(call: dict[str, Any]) -> dict[str, Any]:
    """How it ended, and when: the walk takes no Call-Clear-Request for an end, and tells of it apart."""
    clear, end = call["clear_request_frame"], call["end_frame"]
    if clear is not None and (end is None or clear <= end):
        return {"end": CLEARED, "end_time": call["clear_request_time"]}
    return {"end": ENDS[call["end_by"]], "end_time": call["end_time"]}


def of_walk(call: dict[str, Any]) -> dict[str, Any]:
    """The same of what the walk found."""
    nothing = dict.fromkeys(FIGURES, 0)
    return {
        "kind": KINDS[call["kind"]],
        **{name: call[name] for name in ("connection", "pns", "pac", "first_frame", *TIMES)},
        **first_end(call),
        **{name: call[name] or 0 for name in CODES},
        **{
            f"from_{side}": {name: call[f"from_{side}"][name] or 0 for name in FIGURES}
            if call.get(f"from_{side}")
            else nothing
            for side in ("pns", "pac")
        },
    }


@pytest.mark.parametrize("capture", FILES)
def test_calls(capture: str, engine: str):
    """Each call that messages tell of, as the walk found it; what the walk leaves without a call is half known."""
    calls = decoded(capture, engine)["calls"]
    told = calls["connection"] >= 0
    assert [of_row(row) for row in calls[told]] == [of_walk(call) for call in expected(capture).get("calls", [])]
    assert (calls["kind"][~told] == 0).all()
    assert (calls["status"][~told] & (CallStatus.ROLES_ASSUMED | CallStatus.ROLES_FROM_PPP) != 0).all()


@pytest.mark.parametrize("capture", FILES)
def test_call_of_each_packet(capture: str, engine: str):
    """Every packet that the walk gives to a call is in a tunnel of that call, of the same direction."""
    got = decoded(capture, engine)
    told = np.flatnonzero(got["calls"]["connection"] >= 0).tolist()
    tunnels = got["tunnels"][got["gre"]["tunnel"][got["gre"]["tunnel"] >= 0]]
    found = Counter((told.index(row["call"]), bool(row["from_pns"])) for row in tunnels if row["call"] in told)
    packets = [packet for packet in expected(capture).get("gre", []) if packet.get("ci") is not None]
    walked = Counter((packet["ci"], packet["from_pns"]) for packet in packets)
    assert found == walked


def test_lost_on_the_way(engine):
    """What one end sent minus what arrived at the other is what the other's capture says is lost, exactly."""
    ends = {end: decoded(f"loss5_reorder_dup.{end}.pcap", engine)["calls"][0] for end in ("client", "server")}
    for side, sender, receiver in (("pns", "client", "server"), ("pac", "server", "client")):
        sent, came = ends[sender], ends[receiver]
        arrived = came[f"{side}_packets"] - came[f"{side}_duplicated"]
        assert sent[f"{side}_lost"] == sent[f"{side}_duplicated"] == sent[f"{side}_reordered"] == 0
        assert sent[f"{side}_packets"] - arrived == came[f"{side}_lost"] == 28
        assert came[f"{side}_reordered"] > 50
