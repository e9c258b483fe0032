"""What calls negotiated and carried, and tunnels without control, against the independent walk over real captures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import issues
from test_oracle import FILES, decoded, expected
from test_oracle_calls import address, figures

from pptpcap.wire.status import Authenticated, Authentication, CallPresent, Compression

pytestmark = pytest.mark.slow

METHODS = {
    "none": Authentication.NONE,
    "PAP": Authentication.PAP,
    "CHAP-MD5": Authentication.CHAP_MD5,
    "MS-CHAPv1": Authentication.MS_CHAP,
    "MS-CHAPv2": Authentication.MS_CHAP_V2,
    "EAP": Authentication.EAP,
}
OUTCOMES = {None: Authenticated.NOT_SEEN, "yes": Authenticated.YES, "refused": Authenticated.REFUSED}
# CCP option numbers that the captures have, typed from RFC 1979; MPPE has its own entry in the walk.
COMPRESSIONS = {24: Compression.DEFLATE}
OTHER_SIDE = {"pns": "pac", "pac": "pns"}
# PPP protocols of each content; MPPE and compression cannot be told apart by the number.
CONTENTS = {"0021": "ipv4", "002d": "ipv4", "002f": "ipv4", "0057": "ipv6", "00fd": "packed", "00fb": "packed"}

# Where the walk and the decoder differ by definition: file, what differs, why.  An entry that no longer holds fails.
DIFFERENCES: dict[tuple[str, str], str] = {
    ("moxie0+chapcrack__pptp.cap", "proved"): (
        "three packets of MS-CHAPv2 and nothing of LCP: the walk takes the method from LCP alone, the table from the "
        "response where LCP was not seen"
    ),
    ("CERTCC+PoC-Exploits__cve-2020-8597-pptpd__gre-samples.pcap", "without control"): (
        "source and destination are one address, so the walk has one flow as both ways; the table has one tunnel, and "
        "what would lead back was not seen"
    ),
}


def differs(capture: str, what: str, one: object, other: object) -> None:
    """Equal, or listed as different and different."""
    if (capture, what) in DIFFERENCES:
        assert one != other, f"{capture}: {what} is listed as different and is not"
    else:
        assert one == other, f"{capture}: {what}"


def told(capture: str, engine: str) -> list[tuple[np.void, dict[str, Any]]]:
    """Calls that messages tell of, each beside what the walk has of it."""
    calls = decoded(capture, engine)["calls"]
    return list(zip(calls[calls["connection"] >= 0], expected(capture)["calls"], strict=True))


def half_known(capture: str, engine: str) -> list[tuple[np.void, dict[str, Any]]]:
    """Calls of tunnels alone, each beside what the walk has of it."""
    calls = decoded(capture, engine)["calls"]
    return list(zip(calls[calls["connection"] < 0], expected(capture)["gre_without_control"], strict=True))


def agreed(row: np.void) -> list[tuple[int, int, int]]:
    """Of the PNS and of the PAC: MPPE bits, other compression, the other side's MRU."""
    others = set(COMPRESSIONS.values())
    return [
        (
            int(row[f"{side}_mppe_bits"]),
            int(row[f"{side}_compression"]) if row[f"{side}_compression"] in others else 0,
            int(row[f"{OTHER_SIDE[side]}_mru"]),
        )
        for side in ("pns", "pac")
    ]


def acknowledged(call: dict[str, Any], sides: tuple[str, str]) -> list[tuple[int, int, int]]:
    return [
        (
            call["mppe_acked_by"][side] or 0,
            int(COMPRESSIONS[call["ccp_other_acked_by"][side]]) if call["ccp_other_acked_by"][side] else 0,
            call["mru_acked_by"][side] or 0,
        )
        for side in sides
    ]


def proved(call: dict[str, Any]) -> tuple[Authentication, Authenticated]:
    said = call["authentication"] or {}
    method = METHODS[said["protocol"]] if said else Authentication.NOT_SEEN
    return method, OUTCOMES[said.get("succeeded")]


def carried(row: np.void) -> dict[str, int]:
    names = ("ipv4", "ipv6", "control", "other")
    packed = int(row["encrypted_packets"] + row["compressed_packets"])
    return {"packed": packed} | {name: int(row[f"{name}_packets"]) for name in names}


def walked(*flows: dict[str, Any] | None) -> dict[str, int]:
    found = dict.fromkeys(("packed", "ipv4", "ipv6", "control", "other"), 0)
    for flow in flows:
        for protocol, count in (flow or {}).get("ppp_protocols", {}).items():
            content = CONTENTS.get(protocol) or ("control" if int(protocol, 16) >= 0x8000 else "other")
            found[content] += count
    return found


@pytest.mark.parametrize("capture", FILES)
def test_agreed(capture: str, engine):
    for row, call in told(capture, engine):
        differs(capture, "agreed", agreed(row), acknowledged(call, ("pns", "pac")))
    for row, call in half_known(capture, engine):
        differs(capture, "agreed", agreed(row), acknowledged(call, ("a", "b")))


@pytest.mark.parametrize("capture", FILES)
def test_proved(capture: str, engine):
    for row, call in told(capture, engine) + half_known(capture, engine):
        differs(capture, "proved", (row["authentication"], row["authenticated"]), proved(call))


@pytest.mark.parametrize("capture", FILES)
def test_carried(capture: str, engine):
    """What was in the tunnels; 00FD is encrypted where MPPE was agreed on, and compressed where it was not."""
    for row, call in told(capture, engine):
        differs(capture, "carried", carried(row), walked(call.get("from_pns"), call.get("from_pac")))
        if not any(call["mppe_acked_by"].values()):
            assert row["encrypted_packets"] == 0
        elif all(call["mppe_acked_by"].values()):
            assert row["compressed_packets"] == 0
    for row, call in half_known(capture, engine):
        differs(capture, "carried", carried(row), walked(call["from_a"], call["from_b"]))


@pytest.mark.parametrize("capture", FILES)
def test_tunnels_without_control(capture: str, engine):
    """The sender of the first packet stands first in the walk; here it is the PNS, unless PPP shows it as the PAC."""
    found, walk = [], []
    for row, call in half_known(capture, engine):
        present = CallPresent(int(row["present"]))
        ids = {
            side: int(row[f"{side}_call_id"]) if CallPresent[f"{side.upper()}_CALL_ID"] in present else None
            for side in ("pns", "pac")
        }
        # Tunnels are numbered by their first packets.
        sides = sorted(("pns", "pac"), key=lambda side: (row[f"{side}_tunnel"] < 0, row[f"{side}_tunnel"]))
        found.append(
            (
                *(address(row[f"{side}_address"]) for side in sides), ids[sides[1]], ids[sides[0]],
                *(figures(row, side) for side in sides),
            )
        )  # fmt: skip
        nothing = dict.fromkeys(figures(row, "pns"), 0)
        flows = [{name: (call[flow] or nothing)[name] or 0 for name in nothing} for flow in ("from_a", "from_b")]
        walk.append((call["a"], call["b"], call["key_a_to_b"], call["key_b_to_a"], *flows))
    differs(capture, "without control", found, walk)


@pytest.mark.parametrize("capture", FILES)
def test_messages_of_no_call(capture: str, engine):
    found = [(packet, had) for packet, _, kind, _, had in issues(decoded(capture, engine)) if kind == "UNKNOWN_CALL"]
    walk = [(message["frame_completing"], message["id"]) for message in expected(capture)["messages_of_no_call"]]
    differs(capture, "of no call", found, walk)


@pytest.mark.parametrize("end", ["client", "server"])
def test_plain_count_of_what_came_late_or_twice(end, engine):
    """One set of numbers a tunnel and the highest of them; these captures begin with their session and never go round."""
    got = decoded(f"loss5_reorder_dup.{end}.pcap", engine)
    for index, tunnel in enumerate(got["tunnels"]):
        came: set[int] = set()
        highest = late = twice = 0
        for row in got["gre"][got["gre"]["tunnel"] == index]:
            if row["flags_and_version"] & 0x1000:
                number = int(row["sequence_number"])
                twice += number in came
                late += number not in came and number < highest
                highest = max(highest, number)
                came.add(number)
        assert (tunnel["reordered"], tunnel["duplicated"]) == (late, twice)
        assert tunnel["lost"] == highest - min(came) + 1 - len(came)


def test_there_is_something_of_each():
    calls = [call for capture in FILES for call in expected(capture)["calls"]]
    assert sum(bool(call["authentication"]) for call in calls) > 60
    assert sum(any(call["mppe_acked_by"].values()) for call in calls) > 15
    assert sum(any(call["mru_acked_by"].values()) for call in calls) >= 5
    assert sum(len(expected(capture)["gre_without_control"]) for capture in FILES) >= 4
    assert any(expected(capture)["messages_of_no_call"] for capture in FILES)
