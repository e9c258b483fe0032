"""How far each call came, why it ended and who acted first: decoding 10.5.6 to 10.5.8, and the captures of the laboratory.

The client is the PNS.  Numbers in the made captures are packets.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from builder import control
from call_builder import (
    CLIENT_SIDE,
    SERVER_SIDE,
    Session,
    clear,
    connected,
    disconnect,
    incoming_reply,
    incoming_request,
    octets,
    outgoing_reply,
    outgoing_request,
    packet,
    stop,
)
from captures import lab
from helpers import EngineName, decode
from related import said

import pptpcap
from pptpcap._input.options import Separate
from pptpcap.wire.status import CallReason

TABLE = Path(__file__).parent.parent / "captures" / "stories.tsv"
FOUND = Path(__file__).parent.parent / "captures" / "found"
# Too large for the repository.
NOT_BUNDLED = ("mppe128_mtu1400.pcap",)
STORY = ("phase", "reason", "ended_by")


def typed() -> dict[str, list[tuple[str, ...]]]:
    """By capture: what the table says of its calls."""
    table: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
        by = "NONE" if row["ended_by"] == "-" else row["ended_by"]
        table[row["capture"]].append((row["pns_call_id"], row["phase"], row["reason"], by))
    return table


TYPED = typed()
# Two customers with the same addresses.
APART = {"vlan_overlap.pcap"}
# Ports of mirrors that only their names tell.
MIRRORS = {"tunnel_jmirror.pcap": {"jmirror": 30030}}


def source(name: str) -> list[Path]:
    """The files of a capture of the table, in their order."""
    path = FOUND / name
    if path.is_dir():
        return sorted(path.iterdir(), key=lambda file: int(file.name.removeprefix("vpn.pcap") or 0))
    return [path if path.exists() else lab(name)]


def told_of(call: np.void) -> tuple[str, ...]:
    """What a call says of itself; ? is a side that is only assumed."""
    phase, reason, by = (said(call, column) for column in STORY)
    is_assumed = by != "NONE" and "ROLES_ASSUMED" in said(call, "status")
    return str(call["pns_call_id"]), phase, reason, "?" if is_assumed else by


@pytest.mark.parametrize("name", [name for name in TYPED if name not in NOT_BUNDLED])
def test_captures(engine, name):
    separate: Separate = "layers" if name in APART else "none"
    mirrors = MIRRORS.get(name)
    calls = pptpcap.read(source(name), tables=("calls",), engine=engine, separate=separate, mirrors=mirrors).calls
    told = sorted(told_of(call) for call in calls)
    right = sorted(TYPED[name])
    if [call_id for call_id, *_ in right] == ["*"]:
        told = [("*", *story) for _, *story in told]
    assert told == right


# ---- made captures

LCP = "c021"
REQUEST, ACK, AUTHENTICATE = packet(LCP, 1), packet(LCP, 2), packet(LCP, 1, "0304c023")
REJECT, NAK = packet(LCP, 4, "0304c023"), packet(LCP, 3, "0305c22381")
TERMINATE, TERMINATED = packet(LCP, 5), packet(LCP, 6)
PAP_ACK, PAP_NAK = packet("c023", 2, "00"), packet("c023", 3, "00")
CHALLENGE, SUCCESS = packet("c223", 1, "0141"), packet("c223", 3)
IPCP, IPV6CP, CCP, ECP = (packet(protocol, 2) for protocol in ("8021", "8057", "80fd", "8053"))
IPXCP = packet("802b", 2)
INNER = "0021 45"
C, S = CLIENT_SIDE, SERVER_SIDE
OPENED = ((C, REQUEST), (S, REQUEST), (C, ACK), (S, ACK))
ASKED = ((S, AUTHENTICATE), (C, REQUEST), (C, ACK), (S, ACK))
NETWORK = (*OPENED, (C, IPCP), (S, IPCP))


def echo(code: int, identifier: int) -> str:
    return f"{LCP} {code:02x}{identifier:02x}0004"


def sends(talk: Session, *said_in_ppp: tuple[int, str]) -> Session:
    """Each in a packet of Enhanced GRE of its own."""
    for number, (side, text) in enumerate(said_in_ppp):
        talk.tunnelled(side, 0x22 if side == C else 0x11, number, payload=octets(text))
    return talk


def story(talk: Session, engine: EngineName) -> tuple[str, str, str]:
    """Of the only call."""
    calls = decode(talk.pcap(), engine)["calls"]
    assert len(calls) == 1
    phase, reason, by = (said(calls[0], column) for column in STORY)
    return phase, reason, by


def ppp_call(*said_in_ppp: tuple[int, str]) -> Session:
    """A call whose sides say this, and which nothing ended."""
    return sends(Session().outgoing(0x11, 0x22), *said_in_ppp)


PHASES = {
    "the request": (lambda: Session().client_says(outgoing_request(0x11)), "REQUESTED"),
    "a refusal": (lambda: Session().client_says(
        outgoing_request(0x11)).server_says(outgoing_reply(0, 0x11, 4)), "REQUESTED"),
    "a reply": (lambda: Session().outgoing(0x11, 0x22), "CONNECTED"),
    "incoming, a reply": (lambda: Session().server_says(incoming_request(2)).client_says(incoming_reply(1, 2)), "REQUESTED"),
    "incoming, connected": (lambda: Session().server_says(incoming_request(2)).client_says(
        incoming_reply(1, 2)).server_says(connected(1)), "CONNECTED"),
    "LCP requests": (lambda: ppp_call((C, REQUEST), (S, REQUEST)), "CONNECTED"),
    "one side acknowledged": (lambda: ppp_call((C, REQUEST), (S, REQUEST), (C, ACK)), "CONNECTED"),
    "both acknowledged": (lambda: ppp_call(*OPENED), "LINK"),
    "one side was captured and acknowledged": (lambda: ppp_call((S, REQUEST), (S, ACK)), "LINK"),
    "a success": (lambda: ppp_call(*ASKED, (S, PAP_ACK)), "AUTHENTICATED"),
    "a success, and a failure behind it": (lambda: ppp_call(*ASKED, (S, PAP_ACK), (S, PAP_NAK)), "AUTHENTICATED"),
    "a failure": (lambda: ppp_call(*ASKED, (S, PAP_NAK)), "LINK"),
    "a success without the link": (lambda: ppp_call((S, PAP_ACK)), "CONNECTED"),
    "one side opened IPCP": (lambda: ppp_call(*OPENED, (C, IPCP)), "LINK"),
    "both opened IPCP": (lambda: ppp_call(*NETWORK), "NETWORK"),
    "both opened IPv6CP": (lambda: ppp_call(*OPENED, (C, IPV6CP), (S, IPV6CP)), "NETWORK"),
    "both opened another": (lambda: ppp_call(*OPENED, (C, IPXCP), (S, IPXCP)), "NETWORK"),
    "each opened another": (lambda: ppp_call(*OPENED, (C, IPCP), (S, IPV6CP)), "LINK"),
    "both opened CCP and ECP": (lambda: ppp_call(*OPENED, (C, CCP), (S, CCP), (C, ECP), (S, ECP)), "LINK"),
    "inner packets alone": (lambda: ppp_call((C, INNER)), "NETWORK"),
}  # fmt: skip


@pytest.mark.parametrize("name", PHASES)
def test_phases(engine, name):
    make, phase = PHASES[name]
    assert story(make(), engine)[0] == phase


def ended(*said_in_ppp: tuple[int, str]) -> Session:
    """The same, and the server's FIN."""
    return ppp_call(*said_in_ppp).server_says(flags="FA")


FIN = ("CONNECTION_LOST", "PAC")
REASONS = {
    "nothing": (lambda: ppp_call(*NETWORK), ("OPEN", "NONE")),
    "refused": (lambda: Session().client_says(outgoing_request(0x11)).server_says(
        outgoing_reply(0, 0x11, 4), flags="FA"), ("REFUSED", "PAC")),
    "no reply": (lambda: Session().client_says(outgoing_request(0x11)).client_says(flags="FA"), ("NO_REPLY", "PNS")),
    "no reply, the capture ends": (lambda: Session().client_says(outgoing_request(0x11)), ("OPEN", "NONE")),
    "no reply, one side captured": (lambda: Session(begins=False).client_says(outgoing_request(0x11)).client_says(
        flags="FA"), ("CONNECTION_LOST", "PNS")),
    "one way": (lambda: ended((S, REQUEST), (S, REQUEST)), ("ONE_WAY", "PAC")),
    "one way, acknowledgments alone come back": (lambda: ppp_call((S, REQUEST)).client_sends(0x22, ack=0).server_says(
        flags="FA"), ("ONE_WAY", "PAC")),
    "one side captured, which acknowledged": (lambda: ended((S, REQUEST), (S, ACK)), FIN),
    "one side captured, inner packets": (lambda: ended((S, REQUEST), (S, INNER)), FIN),
    "the link was not agreed on": (lambda: ended((C, REQUEST), (S, REQUEST), (C, ACK)), ("LINK_NOT_AGREED", "PAC")),
    "authentication rejected": (lambda: ended((S, AUTHENTICATE), (C, REJECT), *OPENED), ("AUTHENTICATION_NOT_AGREED", "PAC")),
    "authentication never agreed on": (lambda: ended((S, AUTHENTICATE), (C, NAK), (C, REQUEST)), ("AUTHENTICATION_NOT_AGREED", "PAC")),
    "authentication rejected, the network opened": (lambda: ended((S, AUTHENTICATE), (C, REJECT), *NETWORK), FIN),
    "authentication agreed on at last": (lambda: ended((S, AUTHENTICATE), (C, NAK), *ASKED, (C, packet(LCP, 2, "0304c023"))), FIN),
    "wrong password": (lambda: ended(*ASKED, (S, PAP_NAK)), ("AUTHENTICATION_FAILED", "PAC")),
    "right at the second try": (lambda: ended(*ASKED, (S, PAP_NAK), (S, PAP_ACK), (C, IPCP), (S, IPCP)), FIN),
    "authenticated, no network": (lambda: ended(*ASKED, (S, PAP_ACK)), ("NETWORK_NOT_AGREED", "PAC")),
    "nobody asked, no network": (lambda: ended(*OPENED), ("NETWORK_NOT_AGREED", "PAC")),
    "asked and not answered": (lambda: ended(*ASKED), FIN),
    "authenticated, one side captured": (lambda: ended((S, AUTHENTICATE), (S, ACK), (S, PAP_ACK)), FIN),
    "two echoes not answered": (lambda: ended(*NETWORK, (S, echo(9, 1)), (S, echo(9, 2))), ("PEER_SILENT", "PAC")),
    "one echo not answered": (lambda: ended(*NETWORK, (S, echo(9, 1))), FIN),
    "the last echo answered": (lambda: ended(*NETWORK, (S, echo(9, 1)), (S, echo(9, 2)), (C, echo(10, 2))), FIN),
    "the first of two answered": (lambda: ended(*NETWORK, (S, echo(9, 1)), (S, echo(9, 2)), (C, echo(10, 1))), FIN),
    "the first of three answered": (lambda: ended(
        *NETWORK, *((S, echo(9, number)) for number in (1, 2, 3)), (C, echo(10, 1))), ("PEER_SILENT", "PAC")),
    "a reply to none of them": (lambda: ended(*NETWORK, (S, echo(9, 1)), (S, echo(9, 2)), (C, echo(10, 9))), ("PEER_SILENT", "PAC")),
    "five echoes, the first answered late": (lambda: ended(
        *NETWORK, *((S, echo(9, number)) for number in range(5)), (C, echo(10, 0))), ("PEER_SILENT", "PAC")),
    "echoes of the connection not answered": (lambda: control_echoes(ended(*NETWORK), S), ("PEER_SILENT", "PAC")),
    "echoes of the other side of the connection": (lambda: control_echoes(ended(*NETWORK), C), FIN),
    "echoes of the connection behind the end": (lambda: asks(ppp_call(*NETWORK).client_says(clear(0x11)), 1, 2), ("CLEARED", "PNS")),
    "one echo behind the end": (lambda: asks(asks(ppp_call(*NETWORK), 1).client_says(clear(0x11)), 2), ("CLEARED", "PNS")),
    "one echo behind a Stop": (lambda: asks(asks(ppp_call(*NETWORK), 1).client_says(stop()), 2), ("CLEARED", "PNS")),
    "echoes answered behind the end": (lambda: asks(ppp_call(*NETWORK), 1, 2).client_says(clear(0x11)).server_says(
        control(6, bytes([0, 0, 0, 2, 1, 0, 0, 0]))), ("PEER_SILENT", "PNS")),
    "the reply to a Stop alone": (lambda: ppp_call(*NETWORK).server_says(control(4, b"\x01\0\0\0")), ("CLEARED", "PNS")),
    "echoes of the side that did not end it": (lambda: ended(*NETWORK, (C, echo(9, 1)), (C, echo(9, 2))), FIN),
    "terminated": (lambda: ended(*NETWORK, (C, TERMINATE), (S, TERMINATED)), ("TERMINATED", "PNS")),
    "terminated by both": (lambda: ended(*NETWORK, (S, TERMINATE), (C, TERMINATE)), ("TERMINATED", "PAC")),
    "terminated, and nothing else": (lambda: ppp_call(*NETWORK, (C, TERMINATE)), ("TERMINATED", "PNS")),
    "the link opened again": (lambda: ppp_call(*NETWORK, (C, TERMINATE), *OPENED), ("OPEN", "NONE")),
    "terminated behind the end": (lambda: sends(ppp_call().client_says(clear(0x11)), *NETWORK, (S, TERMINATE)), ("CLEARED", "PNS")),
    "the acknowledgment alone, one side captured": (lambda: ended((S, INNER), (S, TERMINATED)), ("TERMINATED", "PNS")),
    "the acknowledgment alone, both captured": (lambda: ended(*NETWORK, (S, TERMINATED)), FIN),
    "disconnected": (lambda: ppp_call(*NETWORK).server_says(disconnect(0x22, 1)), ("DISCONNECTED", "PAC")),
    "disconnected on request, which was not captured": (lambda: ppp_call(*NETWORK).server_says(disconnect(0x22, 4)), ("CLEARED", "PNS")),
    "cleared": (lambda: ppp_call(*NETWORK).client_says(clear(0x11)).server_says(disconnect(0x22, 4)), ("CLEARED", "PNS")),
    "stopped": (lambda: ppp_call(*NETWORK).server_says(stop()).client_says(clear(0x11)), ("CLEARED", "PAC")),
    "FIN, and a clear behind it": (lambda: ended(*NETWORK).client_says(clear(0x11)), FIN),
    "a reset": (lambda: ppp_call(*NETWORK).client_says(flags="R"), ("CONNECTION_LOST", "PNS")),
    "a new connection": (lambda: new_connection(), ("CONNECTION_LOST", "NONE")),
    "silence": (lambda: silent(ppp_call(*NETWORK)), ("SILENCE", "NONE")),
    "silence behind two echoes": (lambda: silent(ppp_call(*NETWORK, (S, echo(9, 1)), (S, echo(9, 2)))), ("SILENCE", "NONE")),
}  # fmt: skip


def test_one_way_of_an_id_that_two_calls_have(engine):
    """What the PAC sends to either is in the tunnel of the later call."""
    one = Session().outgoing(0x11, 0x22)
    another = Session(one.packets, port=40001).outgoing(0x11, 0x23)
    sends(one, (C, REQUEST), (S, REQUEST)).server_says(flags="FA")
    another.server_says(flags="FA")
    reasons = decode(one.pcap(), engine)["calls"]["reason"]
    assert [CallReason(reason).name for reason in reasons.tolist()] == ["CONNECTION_LOST"] * 2


def asks(talk: Session, *identifiers: int) -> Session:
    """Echo-Requests of the client on the connection."""
    for identifier in identifiers:
        talk.client_says(control(5, identifier.to_bytes(4, "big")))
    return talk


def control_echoes(talk: Session, side: int) -> Session:
    """Two Echo-Requests of a side, in front of the last packet."""
    last = talk.packets.pop()
    for identifier in (1, 2):
        talk.say(side, control(5, identifier.to_bytes(4, "big")))
    talk.packets.append(last)
    return talk


def new_connection() -> Session:
    """The same ports again."""
    talk = ppp_call(*NETWORK)
    again = Session(talk.packets, begins=False)
    again.isn = (500_000_000, 500_004_000)
    again.handshake()
    return talk


def silent(talk: Session) -> Session:
    """The server goes on alone, long after."""
    return talk.server_sends(0x11, 90).after(1000).server_sends(0x11, 91).after(1001)


@pytest.mark.parametrize("name", REASONS)
def test_reasons(engine, name):
    make, told = REASONS[name]
    assert story(make(), engine)[1:] == told


# ---- roles


@pytest.mark.parametrize(
    ("first", "second", "pac_first", "status"),
    [
        (CHALLENGE, "", True, "ROLES_FROM_PPP"),
        (SUCCESS, "", True, "ROLES_FROM_PPP"),
        (PAP_NAK, "", True, "ROLES_FROM_PPP"),
        ("", CHALLENGE, False, "ROLES_FROM_PPP"),
        (packet("c023", 1, "0000"), "", False, "ROLES_FROM_PPP"),
        ("", packet("c023", 1, "0000"), True, "ROLES_FROM_PPP"),
        (packet("c227", 1, "01"), packet("c227", 2, "01"), True, "ROLES_FROM_PPP"),
        (CHALLENGE, CHALLENGE, False, "ROLES_ASSUMED"),
        (REQUEST, REQUEST, False, "ROLES_ASSUMED"),
        ("", "", False, "ROLES_ASSUMED"),
    ],
)  # fmt: skip
def test_roles_without_a_control_connection(engine, first, second, pac_first, status):
    """The client sends the first packet."""
    talk = Session(begins=False).client_sends(0x22, 0).server_sends(0x11, 0)
    for side, text in ((C, first), (S, second)):
        if text:
            talk.tunnelled(side, 0x22 if side == C else 0x11, 1, payload=octets(text))
    got = decode(talk.pcap(), engine)
    assert len(got["calls"]) == 1
    call, tunnels = got["calls"][0], got["tunnels"]
    assert said(call, "status") == {status, "TUNNEL_INFERRED"}
    ids = (call["pns_call_id"], call["pac_call_id"], call["pns_tunnel"], call["pac_tunnel"])
    assert ids == ((0x22, 0x11, 1, 0) if pac_first else (0x11, 0x22, 0, 1))
    assert tunnels["from_pns"].tolist() == ([False, True] if pac_first else [True, False])
    assert bytes(call["pns_address"]) == bytes(tunnels["source"][1 if pac_first else 0])


def test_one_direction_that_challenges_is_the_pacs(engine):
    got = decode(Session(begins=False).tunnelled(S, 0x11, 0, payload=octets(CHALLENGE)).pcap(), engine)
    call = got["calls"][0]
    assert (call["pns_tunnel"], call["pac_tunnel"], call["pns_call_id"]) == (-1, 0, 0x11)
    assert bytes(call["pac_address"]) == bytes(got["tunnels"]["source"][0])
    assert said(call, "present") == {"PNS_CALL_ID"}
    assert said(call, "status") == {"ROLES_FROM_PPP"}
