"""Tunnels and calls: the columns of both tables, their caps, and the PPP facts that calls have.

Must not know packets.
"""

from __future__ import annotations

from .enumerations import ENUMERATIONS
from .model import Absence, Column, Equal, Names, Table, Unset, Zero
from .status import Authenticated, Authentication, CallEnd, CallKind, CallPresent, CallStatus, Compression

TIME = "datetime64[ns]"
_SINCE = "ns since 1970, UTC"

# Most timed payloads of a tunnel that wait for their acknowledgment, and most ranges of its sequence numbers.
TIMED = 64
RANGES = 64
# A call without a sign of life for this long before the end of the capture ended by silence: RFC 2637 waits
# 60 s before it sends an echo request, and 60 s for the reply.
SILENCE_NS = 120_000_000_000
# Bytes that are kept of a terminate reason and of a name.
TEXT_WIDTH = 64

# Sequence numbers are absent without numbered packets, round trips without timed acknowledgments.
_SENT = (Unset("packets"),)
_TIMED_ANY = (Unset("rtt_samples"),)

_FIGURES: tuple[Column, ...] = (
    Column("packets", "uint64", "packets with S", "packets"),
    Column("payload_octets", "uint64", "sum of payload_length over them", "octets"),
    Column("acks", "uint64", "packets with A and without S", "packets"),
    Column("first_sequence", "uint32", "sequence number of the first packet with S", absent=_SENT),
    Column("last_sequence", "uint32", "highest sequence number, by signed difference", absent=_SENT),
    Column("lost", "uint64", "numbers between first and highest that never came", "packets"),
    Column("duplicated", "uint64", "packets whose number had come before", "packets"),
    Column("reordered", "uint64", "packets below the highest number, not duplicates", "packets"),
    Column("rtt_samples", "uint64", "packets whose acknowledgment was timed", "packets"),
    Column("rtt_min_ns", "int64", "least time from a packet to the first acknowledgment that covers it", "ns", absent=_TIMED_ANY),
    Column("rtt_mean_ns", "int64", "mean of these times, rounded down", "ns", absent=_TIMED_ANY),
)

_CONTENTS: tuple[Column, ...] = (
    Column("ipv4_packets", "uint64", "packets of PPP protocol 0021, 002D or 002F: IPv4 in clear, VJ compressed or not", "packets"),
    Column("ipv6_packets", "uint64", "packets of PPP protocol 0057", "packets"),
    Column("encrypted_packets", "uint64", "packets of PPP protocol 00FD while MPPE was in force", "packets"),
    Column("compressed_packets", "uint64", "packets of PPP protocol 00FB, or 00FD while MPPE was not in force", "packets"),
    Column("control_packets", "uint64", "packets of PPP protocol 8000 and above", "packets"),
    Column("other_packets", "uint64", "packets of any other PPP protocol, or of none", "packets"),
)

TUNNELS = Table(
    "tunnels",
    "one-way flow of Enhanced GRE: source, destination and call id, anew where a call takes the id again",
    "first packet",
    (
        Column("source", "uint8", "sender; IPv4 as ::ffff:a.b.c.d", shape=(16,)),
        Column("destination", "uint8", "receiver; IPv4 as ::ffff:a.b.c.d", shape=(16,)),
        Column("call_id", "uint16", "call id that the receiver assigned", section="RFC 2637 section 4.1"),
        Column("generation", "uint32", "earlier tunnels of this source, destination and call id"),
        Column("call", "int32", "row in calls"),
        Column("from_pns", "bool", "the source is the call's PNS"),
        Column("first_time", TIME, "time of the first packet", _SINCE),
        Column("last_time", TIME, "time of the last packet", _SINCE),
        Column("first_packet", "uint64", "number of the first packet"),
        Column("last_packet", "uint64", "number of the last packet"),
        *_FIGURES,
        *_CONTENTS,
    ),
    is_entity=True,
)


def _negotiated(side: str, peer: str) -> tuple[Column, ...]:
    def said(name: str, dtype: str, meaning: str, section: str, unit: str = "", names: Names | None = None, absent: tuple[Absence, ...] = ()) -> Column:
        return Column(f"{side}_{name}", dtype, meaning, unit, section, names=names, absent=absent)

    zero = (Zero(),)
    terminated = (Unset("present", CallPresent[f"{side.upper()}_TERMINATE"]),)
    return (
        *(column.of(side, f"{column.meaning}, sent by the {side}") for column in _FIGURES),
        said("mru", "uint16", f"largest packet that the {side} takes, as the {peer} acknowledged; 0 unless it did", "RFC 1661 section 6.1", unit="octets", absent=zero),
        said("accm", "uint32", f"control characters that the {side} wants escaped, as the {peer} acknowledged; 0 unless it did", "RFC 1662 section 7.1"),
        said("authentication", "uint8", f"how the {side} agreed to prove who it is, a number of Authentication", "RFC 1661 section 6.2", names=Authentication),
        said("authentication_asked", "uint8", f"what the {peer} asked for first, a number of Authentication", "RFC 1661 section 6.2", names=Authentication),
        said("authenticated", "uint8", f"whether the {peer} believed it, a number of Authenticated", "RFC 1994 section 4.2", names=Authenticated),
        said("authentication_error", "uint32", f"error code of MS-CHAP with which the {peer} refused, 0 without one", "RFC 2433 section 6", absent=zero),
        said("compression", "uint8", f"what the {side} agreed to send, a number of Compression", "RFC 1962", names=Compression),
        said("mppe_bits", "uint32", f"supported bits of MPPE and MPPC that the {side} agreed to send with, 0 without", "RFC 3078 section 2.1", absent=zero),
        said("ip_compression", "uint16", f"IP compression protocol that the {side} agreed to send with, 0 without", "RFC 1332 section 3.2", absent=zero),
        Column(f"{side}_ipv4", "uint8", f"inner IPv4 address of the {side}, as the {peer} acknowledged; all 0 unless it did", "", "RFC 1332 section 3.3", shape=(16,), absent=zero),
        said("interface_identifier", "uint64", f"of the inner IPv6 address of the {side}, as the {peer} acknowledged; 0 unless it did", "RFC 5072 section 4.1", absent=zero),
        said("lcp_echo_requests", "uint32", f"LCP Echo-Requests sent by the {side}", "RFC 1661 section 5.8"),
        said("lcp_echo_replies", "uint32", f"LCP Echo-Replies sent by the {side}", "RFC 1661 section 5.8"),
        said("terminate_reason", f"S{TEXT_WIDTH}", f"data of the first LCP Terminate-Request of the {side}", "RFC 1661 section 5.5", absent=terminated),
        said("name", f"S{TEXT_WIDTH}", f"by which the {side} made itself known; empty unless identities were asked for", "RFC 1994 section 4.1", absent=zero),
    )


CALLS = Table(
    "calls",
    "call, also one that is known from Enhanced GRE or from control messages alone",
    "first packet",
    (
        Column("connection", "int32", "row in connections, -1 where no control message told of it"),
        Column("pns_tunnel", "int32", "row in tunnels of what the PNS sent, -1 without"),
        Column("pac_tunnel", "int32", "row in tunnels of what the PAC sent, -1 without"),
        Column("request_message", "int64", "row in messages of the request, -1 without"),
        Column("reply_message", "int64", "row in messages of the reply, -1 without"),
        Column("disconnect_message", "int64", "row in messages of the Call-Disconnect-Notify, -1 without"),
        Column("kind", "uint8", "a number of CallKind", names=CallKind),
        Column("status", "uint16", "bits of CallStatus", names=CallStatus),
        Column("present", "uint16", "bits of CallPresent: which of these columns were on the wire", names=CallPresent),
        Column("pns_address", "uint8", "PNS; IPv4 as ::ffff:a.b.c.d", shape=(16,)),
        Column("pac_address", "uint8", "PAC; IPv4 as ::ffff:a.b.c.d", shape=(16,)),
        Column("pns_call_id", "uint16", "call id that the PNS assigned", section="RFC 2637 section 2.7", absent=(Unset("present", CallPresent.PNS_CALL_ID),)),
        Column("pac_call_id", "uint16", "call id that the PAC assigned", section="RFC 2637 section 2.8", absent=(Unset("present", CallPresent.PAC_CALL_ID),)),
        Column("call_serial_number", "uint16", "of the request", section="RFC 2637 section 2.7", absent=(Unset("present", CallPresent.SERIAL),)),
        Column("first_packet", "uint64", "number of the first packet, control or data"),
        Column("last_packet", "uint64", "number of the last packet, control or data"),
        Column("start_time", TIME, "time of the first packet", _SINCE),
        Column("last_time", TIME, "time of the last packet", _SINCE),
        Column("connect_time", TIME, "time of the reply that connects (outgoing) or of Incoming-Call-Connected, NaT without", _SINCE),
        Column("clear_time", TIME, "time of the first Call-Clear-Request, NaT without", _SINCE),
        Column("disconnect_time", TIME, "time of the first Call-Disconnect-Notify, NaT without", _SINCE),
        Column("end_time", TIME, "when it ended, NaT while open", _SINCE),
        Column("end", "uint8", "what ended it first, a number of CallEnd", names=CallEnd),
        Column("end_from_pns", "bool", "the PNS ended it"),
        Column("result_code", "uint8", "of the reply", section="RFC 2637 section 2.8", absent=(Unset("present", CallPresent.RESULT),)),
        Column("error_code", "uint8", "of the reply", section="RFC 2637 section 2.16", names=ENUMERATIONS["error_code"], absent=(Unset("present", CallPresent.RESULT),)),
        Column("cause_code", "uint16", "of the Outgoing-Call-Reply", section="RFC 2637 section 2.8", absent=(Unset("present", CallPresent.RESULT), Equal("kind", CallKind.INCOMING))),
        Column("disconnect_result_code", "uint8", "of the Call-Disconnect-Notify", section="RFC 2637 section 2.13", names=ENUMERATIONS["disconnect_result"], absent=(Unset("present", CallPresent.DISCONNECT),)),
        Column("disconnect_error_code", "uint8", "of the Call-Disconnect-Notify", section="RFC 2637 section 2.16", names=ENUMERATIONS["error_code"], absent=(Unset("present", CallPresent.DISCONNECT),)),
        Column("disconnect_cause_code", "uint16", "of the Call-Disconnect-Notify", section="RFC 2637 section 2.13", absent=(Unset("present", CallPresent.DISCONNECT),)),
        Column("set_link_infos", "uint32", "Set-Link-Info messages", "messages"),
        Column("wan_error_notifies", "uint32", "WAN-Error-Notify messages", "messages"),
        *_negotiated("pns", "pac"),
        *_negotiated("pac", "pns"),
        Column("mru", "uint16", "the lesser of pns_mru and pac_mru, of those that were agreed", "octets", "RFC 1661 section 6.1", absent=(Zero(),)),
        Column("authentication", "uint8", "how the PNS proved who it is or, where it did not, the PAC: a number of Authentication", "", "RFC 1661 section 6.2", names=Authentication),
        Column("authenticated", "uint8", "what became of that: a number of Authenticated", names=Authenticated),
        Column("compression", "uint8", "what the PNS agreed to send or, where it did not, the PAC: a number of Compression", "", "RFC 1962", names=Compression),
        Column("mppe_bits", "uint32", "supported bits that both agreed on; of one side where only that was seen", "", "RFC 3078 section 2.1", absent=(Zero(),)),
        *(Column(c.name, c.dtype, f"{c.meaning}, both ways", c.unit) for c in _CONTENTS),
    ),
    is_entity=True,
)
