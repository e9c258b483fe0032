"""Tunnels and calls: the columns of both tables, their caps, and the PPP facts that calls have.

Knows no packet.
"""

from __future__ import annotations

from .carriers import Carrier
from .enumerations import ENUMERATIONS
from .model import Absence, Column, Equal, Names, Table, Unset, Zero
from .status import (
    Authenticated,
    Authentication,
    CallEnd,
    CallKind,
    CallPhase,
    CallPresent,
    CallReason,
    CallStatus,
    Compression,
    EapMethod,
    Side,
)

TIME = "datetime64[ns]"
_SINCE = "ns since 1970, UTC"

# Most timed payloads of a tunnel that wait for their acknowledgment, and most ranges of its sequence numbers.
TIMED = 64
RANGES = 64
# Sums of times stay below it.
MOST_NS = 1 << 63
# A side without a sign of life for this long, while the other goes on, is silent: RFC 2637 waits 60 s before it sends
# an echo request, and 60 s for the reply.  No acknowledgment and no echo takes longer.
SILENCE_NS = 120_000_000_000
# Least number of Echo-Requests in a row without a reply from which on the peer is silent.
UNANSWERED = 2
# LCP Echo-Requests of a side that are kept, and Echo-Requests of the control connection.
ECHOES = 4
CONTROL_ECHOES = 1
# Bytes that are kept of a terminate reason and of a name.
TEXT_WIDTH = 64

# Sequence numbers are absent without numbered packets, delays without acknowledgments.
_SENT = (Unset("packets"),)
_TIMED_ANY = (Unset("ack_delay_samples"),)

_FIGURES: tuple[Column, ...] = (
    Column("packets", "uint64", "packets with a sequence number", "packets"),
    Column("payload_octets", "uint64", "sum of payload_length of packets with S", "octets"),
    Column("acks", "uint64", "packets with an acknowledgment number and no sequence number", "packets"),
    Column("first_sequence", "uint32", "first sequence number", section="RFC 2637 section 4.1", tshark="gre.sequence_number", absent=_SENT),
    Column("last_sequence", "uint32", "highest sequence number; numbers wrap", section="RFC 2637 section 4.1", tshark="gre.sequence_number", absent=_SENT),
    Column("lost", "uint64", "sequence numbers between the first and the highest that never arrived", "packets"),
    Column("duplicated", "uint64", "packets whose number arrived before", "packets"),
    Column("reordered", "uint64", "packets that arrived after a higher number, without duplicates", "packets"),
    Column("copies", "uint64", "packets that are copies of earlier ones; they count in the other figures too", "packets"),
    Column("ack_delay_samples", "uint64", "packets whose acknowledgment was timed", "packets"),
    Column("ack_delay_min_ns", "int64", "least time from a packet to the first acknowledgment that covers it: a round trip, and what the receiver waited, up to half a second", "ns", absent=_TIMED_ANY),
    Column("ack_delay_mean_ns", "int64", "mean of these times, rounded down", "ns", absent=_TIMED_ANY),
)

_CONTENTS: tuple[Column, ...] = (
    Column("ipv4_packets", "uint64", "packets of PPP protocol 0021, 002D or 002F: IPv4 that is not encrypted, with or without VJ compression", "packets"),
    Column("ipv6_packets", "uint64", "packets of PPP protocol 0057", "packets"),
    Column("encrypted_packets", "uint64", "packets of PPP protocol 00FD while MPPE was in force", "packets"),
    Column("compressed_packets", "uint64", "packets of PPP protocol 00FB, or 00FD while MPPE was not in force", "packets"),
    Column("control_packets", "uint64", "packets of PPP protocol 8000 and above", "packets"),
    Column("multilink_ip_packets", "uint64", "packets of PPP protocol 003D that begin an IPv4 or IPv6 packet in clear", "packets"),
    Column("other_packets", "uint64", "packets of any other PPP protocol, or of none", "packets"),
)

# What the first packet of a connection or a tunnel came through.
LAYERS = (
    Column("vlan", "int16", "VLAN id of the outermost tag of the innermost Ethernet frame; -1 without a tag", absent=(Equal("vlan", -1),)),
    Column("inner_vlan", "int16", "VLAN id of the next tag; -1 without one", absent=(Equal("inner_vlan", -1),)),
    Column("carrier", "uint8", "mirror or overlay that carried the packet, the innermost; a number of Carrier", names=Carrier),
    Column("network_id", "int64", "its number of a virtual network: VNI, virtual subnet, GRE key, service id; -1 without one", absent=(Equal("network_id", -1),)),
)


def community_id(*made_of: str) -> Column:
    """The column of a flow between these addresses and, if it has any, these ports."""
    meaning = "Community ID, version 1: the name of the flow in Zeek, Suricata and others, one for both directions"
    return Column("community_id", "S30", meaning, made_of=made_of)


TUNNELS = Table(
    "tunnels",
    "one-way flow of Enhanced GRE with one source, destination and call id; a new one if another call gets the id",
    "first packet",
    (
        Column("source", "uint8", "address of the sender; IPv4 as ::ffff:a.b.c.d", shape=(16,)),
        Column("destination", "uint8", "address of the receiver; IPv4 as ::ffff:a.b.c.d", shape=(16,)),
        Column("call_id", "uint16", "call id that the receiver assigned", section="RFC 2637 section 4.1", tshark="gre.key.call_id"),
        *LAYERS,
        Column("generation", "uint32", "number of earlier tunnels with the same source, destination and call id"),
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
    derived=(community_id("source", "destination"),),
)


def echo_columns(side: str, what: str, who: str) -> tuple[Column, ...]:
    """How long the echoes of one side took.

    Parameters
    ----------
    side : str
        Prefix of its columns.
    what, who : str
        Name of the requests, and of the side.
    """
    timed = (Unset(f"{side}_echo_rtt_samples"),)
    return (
        Column(f"{side}_echo_rtt_samples", "uint32", f"{what} of the {who} whose reply was timed", "packets"),
        Column(f"{side}_echo_rtt_min_ns", "int64", "least time from such a request to its reply", "ns", absent=timed),
        Column(f"{side}_echo_rtt_mean_ns", "int64", "mean of these times, rounded down", "ns", absent=timed),
        Column(f"{side}_echo_rtt_unanswered", "uint32", f"{what} of the {who} to which no reply was seen", "packets"),
    )


def _negotiated(side: str, peer: str) -> tuple[Column, ...]:
    def said(name: str, dtype: str, meaning: str, section: str, unit: str = "", tshark: str = "", names: Names | None = None, absent: tuple[Absence, ...] = ()) -> Column:
        return Column(f"{side}_{name}", dtype, meaning, unit, section, tshark, names=names, absent=absent)

    zero = (Zero(),)
    terminated = (Unset("present", CallPresent[f"{side.upper()}_TERMINATE"]),)
    return (
        *(column.of(side, f"{column.meaning}, sent by the {side.upper()}") for column in _FIGURES),
        said("mru", "uint16", f"largest packet that the {side.upper()} accepts, as the {peer.upper()} acknowledged; 0 if it did not", "RFC 1661 section 6.1", unit="octets", tshark="lcp.opt.mru", absent=zero),
        said("accm", "uint32", f"control characters that the {side.upper()} wants escaped, as the {peer.upper()} acknowledged; 0 if it did not", "RFC 1662 section 7.1", tshark="lcp.opt.asyncmap"),
        said("authentication", "uint8", f"how the {side.upper()} agreed to authenticate, a number of Authentication", "RFC 1661 section 6.2", tshark="lcp.opt.auth_protocol", names=Authentication),
        said("eap_method", "uint8", f"EAP type of the {side.upper()}'s last EAP Response that names a method, a number of EapMethod; 0 without one", "RFC 3748 section 5", tshark="eap.type", names=EapMethod, absent=zero),
        said("authentication_asked", "uint8", f"authentication that the {peer.upper()} asked for first, a number of Authentication", "RFC 1661 section 6.2", tshark="lcp.opt.auth_protocol", names=Authentication),
        said("authenticated", "uint8", f"whether the {peer.upper()} accepted the {side.upper()}, a number of Authenticated", "RFC 1994 section 4.2", names=Authenticated),
        said("authentication_error", "uint32", f"MS-CHAP error code with which the {peer.upper()} refused; 0 if there is none", "RFC 2433 section 6", absent=zero),
        said("compression", "uint8", f"compression that the {side.upper()} agreed to send, a number of Compression", "RFC 1962", names=Compression),
        said("mppe_bits", "uint32", f"MPPE and MPPC bits that the {side.upper()} agreed to send with; 0 if there are none", "RFC 3078 section 2.1", tshark="ccp.opt.supported_bits", absent=zero),
        said("ip_compression", "uint16", f"IP compression protocol that the {side.upper()} agreed to send with; 0 if there is none", "RFC 1332 section 3.2", tshark="ipcp.opt.compress_proto", absent=zero),
        Column(f"{side}_ipv4", "uint8", f"inner IPv4 address of the {side.upper()}, as the {peer.upper()} acknowledged; all 0 if it did not", "", "RFC 1332 section 3.3", "ipcp.opt.ip_address", shape=(16,), absent=zero),
        said("interface_identifier", "uint64", f"interface identifier of the {side.upper()}'s inner IPv6 address, as the {peer.upper()} acknowledged; 0 if it did not", "RFC 5072 section 4.1", tshark="ipv6cp.interface_identifier", absent=zero),
        said("lcp_echo_requests", "uint32", f"LCP Echo-Requests that the {side.upper()} sent", "RFC 1661 section 5.8"),
        said("lcp_echo_replies", "uint32", f"LCP Echo-Replies that the {side.upper()} sent", "RFC 1661 section 5.8"),
        *echo_columns(side, "LCP Echo-Requests", side.upper()),
        said("terminate_reason", f"S{TEXT_WIDTH}", f"data of the first LCP Terminate-Request of the {side.upper()}", "RFC 1661 section 5.5", absent=terminated),
        said("name", f"S{TEXT_WIDTH}", f"name with which the {side.upper()} identified itself; empty unless the caller asks for identities", "RFC 1994 section 4.1", absent=zero),
    )


CALLS = Table(
    "calls",
    "call; control messages, Enhanced GRE or both tell of it",
    "calls that messages tell of, as these tell of them first; then the others, by first packet",
    (
        Column("connection", "int32", "row in connections; -1 if no control message tells of the call"),
        Column("pns_tunnel", "int32", "row in tunnels of the tunnel that the PNS sends; -1 if there is none"),
        Column("pac_tunnel", "int32", "row in tunnels of the tunnel that the PAC sends; -1 if there is none"),
        Column("request_message", "int64", "row in messages of the request; -1 if there is none"),
        Column("reply_message", "int64", "row in messages of the reply; -1 if there is none"),
        Column("disconnect_message", "int64", "row in messages of the Call-Disconnect-Notify; -1 if there is none"),
        Column("kind", "uint8", "who asked for the call, a number of CallKind", names=CallKind),
        Column("status", "uint16", "bits of CallStatus", names=CallStatus),
        Column("present", "uint16", "bits of CallPresent: which values were seen", names=CallPresent),
        Column("pns_address", "uint8", "address of the PNS; IPv4 as ::ffff:a.b.c.d", shape=(16,)),
        Column("pac_address", "uint8", "address of the PAC; IPv4 as ::ffff:a.b.c.d", shape=(16,)),
        Column("pns_call_id", "uint16", "call id that the PNS assigned", section="RFC 2637 section 2.7", tshark="pptp.call_id", absent=(Unset("present", CallPresent.PNS_CALL_ID),)),
        Column("pac_call_id", "uint16", "call id that the PAC assigned", section="RFC 2637 section 2.8", tshark="pptp.call_id", absent=(Unset("present", CallPresent.PAC_CALL_ID),)),
        Column("call_serial_number", "uint16", "call serial number of the request", section="RFC 2637 section 2.7", tshark="pptp.call_serial_number", absent=(Unset("present", CallPresent.SERIAL),)),
        Column("first_packet", "uint64", "number of the first packet, control or data"),
        Column("last_packet", "uint64", "number of the last packet, control or data"),
        Column("start_time", TIME, "time of the first packet", _SINCE),
        Column("last_time", TIME, "time of the last packet", _SINCE),
        Column("connect_time", TIME, "time of the reply that connects an outgoing call, or of Incoming-Call-Connected; NaT if there is none", _SINCE),
        Column("clear_time", TIME, "time of the first Call-Clear-Request; NaT if there is none", _SINCE),
        Column("disconnect_time", TIME, "time of the first Call-Disconnect-Notify; NaT if there is none", _SINCE),
        Column("end_time", TIME, "time of the end; NaT while the call is open", _SINCE),
        Column("end_packet", "uint64", "number of the packet of the end; 0 while the call is open", absent=(Zero(),)),
        Column("end", "uint8", "what ended the call first on its control connection, a number of CallEnd", names=CallEnd),
        Column("end_from_pns", "bool", "the PNS did that"),
        Column("phase", "uint8", "furthest step that was seen, a number of CallPhase", names=CallPhase),
        Column("reason", "uint8", "why the call ended, a number of CallReason", names=CallReason),
        Column("ended_by", "uint8", "side that acted first to end it, on the control connection or in PPP; a number of Side", names=Side),
        Column("result_code", "uint8", "result code of the reply", section="RFC 2637 section 2.8", absent=(Unset("present", CallPresent.RESULT),)),
        Column("error_code", "uint8", "error code of the reply", section="RFC 2637 section 2.16", tshark="pptp.error", names=ENUMERATIONS["error_code"], absent=(Unset("present", CallPresent.RESULT),)),
        Column("cause_code", "uint16", "cause code of the Outgoing-Call-Reply", section="RFC 2637 section 2.8", tshark="pptp.cause", absent=(Unset("present", CallPresent.RESULT), Equal("kind", CallKind.INCOMING))),
        Column("disconnect_result_code", "uint8", "result code of the Call-Disconnect-Notify", section="RFC 2637 section 2.13", tshark="pptp.disc_result", names=ENUMERATIONS["disconnect_result"], absent=(Unset("present", CallPresent.DISCONNECT),)),
        Column("disconnect_error_code", "uint8", "error code of the Call-Disconnect-Notify", section="RFC 2637 section 2.16", tshark="pptp.error", names=ENUMERATIONS["error_code"], absent=(Unset("present", CallPresent.DISCONNECT),)),
        Column("disconnect_cause_code", "uint16", "cause code of the Call-Disconnect-Notify", section="RFC 2637 section 2.13", tshark="pptp.cause", absent=(Unset("present", CallPresent.DISCONNECT),)),
        Column("set_link_infos", "uint32", "Set-Link-Info messages of the call", "messages"),
        Column("wan_error_notifies", "uint32", "WAN-Error-Notify messages of the call", "messages"),
        *_negotiated("pns", "pac"),
        *_negotiated("pac", "pns"),
        Column("mru", "uint16", "lesser of pns_mru and pac_mru, of those that were agreed on; 0 if neither was", "octets", "RFC 1661 section 6.1", "lcp.opt.mru", absent=(Zero(),)),
        Column("authentication", "uint8", "how the PNS authenticates or, if it does not, the PAC; a number of Authentication", "", "RFC 1661 section 6.2", names=Authentication),
        Column("authenticated", "uint8", "outcome of that, a number of Authenticated", names=Authenticated),
        Column("compression", "uint8", "compression that the PNS sends or, if it does not, the PAC; a number of Compression", "", "RFC 1962", names=Compression),
        Column("mppe_bits", "uint32", "MPPE and MPPC bits that both sides agreed on, or those of the one side that was seen; 0 if there are none", "", "RFC 3078 section 2.1", "ccp.opt.supported_bits", absent=(Zero(),)),
        *(Column(c.name, c.dtype, f"{c.meaning}, both ways", c.unit) for c in _CONTENTS),
    ),
    is_entity=True,
)
