"""Formats values for people: names numbers, turns issues into sentences.

Knows every code list.  Must not know files.  All text that others chose, names of files too, is printed through this
module, which escapes it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from enum import IntEnum, IntFlag
from functools import lru_cache
from typing import Any

import numpy as np

from ..wire.carriers import NAMED_ONLY, Carrier
from ..wire.control import BY_CODE
from ..wire.enumerations import ENUMERATIONS
from ..wire.model import Field
from ..wire.mppe import MPPE_BITS, STATELESS, strengths
from ..wire.status import (
    Authenticated,
    Authentication,
    Compression,
    Kind,
    Layer,
)
from .escaping import escape, escape_all_octets, escape_octets, plain, quote

__all__ = [
    "address",
    "authentication",
    "code",
    "duration",
    "encryption",
    "endpoint",
    "escape",
    "escape_all_octets",
    "escape_octets",
    "flags",
    "instant",
    "instants",
    "is_in_digits",
    "issue",
    "issue_kind",
    "issue_place",
    "message_abbreviation",
    "plain",
    "quote",
    "times",
    "value",
]

_ISSUES: dict[Kind, str] = {
    Kind.TRUNCATED_RECORD: "the file ends inside a record: it needs {needed} octets, {had} are left",
    Kind.CORRUPT_RECORD: "a record claims {had} captured octets, more than the {needed} that a record can have",
    Kind.CAPTURED_EXCEEDS_ORIGINAL: "{had} octets are captured of a packet of {needed}",
    Kind.TIME_FRACTION: "the fraction of the second is {had}, a second has {needed}",
    Kind.CORRUPT_BLOCK: "a block says {had} where {needed} would be right, or is the limit",
    Kind.UNKNOWN_INTERFACE: "a packet of interface {had}, of which the section has {needed}",
    Kind.BAD_OPTION: "an option of an interface says {had} where {needed} would be right, or is the limit",
    Kind.TIME_RANGE: "a time of {had} seconds and its offset fit in no datetime64[ns]",
    Kind.CAPTURED_EXCEEDS_BLOCK: "a block with room for {had} octets claims {needed} captured ones",
    Kind.UNSUPPORTED_LINK: "packets of link type {had} on interface {needed} are not read",
    Kind.FRAME_CUT: "the link header needs {needed} octets, {had} are captured",
    Kind.TOO_DEEP: "more than {needed} headers inside one another",
    Kind.UNFOLLOWED: "{had} packets of {carrier} are not followed; {advice}",
    Kind.INTERFACE_LIMIT: "more than {needed} interfaces in one section",
    Kind.CORRUPT_COMPRESSION: "compressed data are cut or corrupt after {needed} decompressed octets",
    Kind.SKIPPED_OCTETS: "{had} octets were skipped, the walk continues at offset {needed}",
    Kind.CLOCK_BACK: "the clock went back by {had} ns",
    Kind.CLOCK_STANDS: "all {had} packets have the same time",
    Kind.ZEROS: "{had} octets up to offset {needed} are zeros, not records",
    Kind.NO_PACKETS: "the file holds no packets",
    Kind.FILES_OUT_OF_ORDER: "file {had} begins before file {needed}, which stands in front of it, ended",
    Kind.HEADER_CUT: "the header needs {needed} octets, {had} are captured",
    Kind.MALFORMED: "a header says {had} where {needed} is the limit",
    Kind.LENGTH_EXCEEDS_FRAME: "the header claims {needed} octets, the frame had {had}",
    Kind.FRAGMENT_CONFLICT: "two datagrams have one identification: {had} of {needed} octets that came twice differ",
    Kind.FRAGMENT_INCOMPLETE: "a datagram never became whole: {had} octets came, the first ones in packet {needed}",
    Kind.FRAGMENT_TOO_LONG: "a fragment ends at {had}, beyond the limit of a datagram, {needed}",
    Kind.FRAGMENT_LIMIT: "a datagram came in more than {needed} pieces",
    Kind.GAP: "{needed} octets of the stream are lost",
    Kind.OVERLAP_CONFLICT: "{had} of {needed} octets that came twice differ",
    Kind.OUT_OF_WINDOW: "a sequence number is {had} away from the expected one, {needed} is too far",
    Kind.RESET_IGNORED: "a reset is {had} away from the expected number, {needed} is too far",
    Kind.EVICTED: "state was dropped: {had} where {needed} is the cap",
    Kind.WAITING_LIMIT: "too much waits behind a hole: {had} where {needed} is the cap",
    Kind.BAD_CHECKSUM: "the TCP checksum is 0x{had:04X}, 0x{needed:04X} would verify",
    Kind.MESSAGE_CUT: "the stream ends inside a message: {had} octets of {needed} came",
    Kind.WRONG_LENGTH: "a message claims {had} octets, its type has {needed}",
    Kind.WRONG_COOKIE: "the magic cookie is 0x{had:08X}, not 0x{needed:08X}",
    Kind.BAD_LENGTH: "a message claims {had} octets, the nearest legal length is {needed}",
    Kind.UNKNOWN_TYPE: "control message type {had} is not known",
    Kind.MANAGEMENT: "message type {had} is not {needed}",
    Kind.SKIPPED: "{had} octets were skipped in search of a message",
    Kind.NUMBER_LENGTH: "a number claims {had} octets in a field of {needed}",
    Kind.WRONG_VERSION: "version {had} of GRE with PPTP's protocol type, which has version {needed}",
    Kind.FORBIDDEN_FLAGS: "flags 0x{had:04X} must be zero",
    Kind.NO_KEY: "the key flag is clear",
    Kind.PAYLOAD_SHORT: "the header claims {needed} octets of payload, the packet had {had}",
    Kind.NO_SEQUENCE: "{had} octets of payload without a sequence number",
    Kind.NO_PROTOCOL: "no PPP protocol number in {had} octets of payload",
    Kind.PPP_OPTION: "an option of a PPP packet claims {had} octets, {needed} are left",
    Kind.PPP_OPTION_LIMIT: "more than {needed} options in a PPP packet",
    Kind.PPP_LENGTH: "a PPP packet says {had} where {needed} is the limit",
    Kind.PPP_FIELD: "lengths inside a PPP packet claim {needed} octets, there are {had}",
    Kind.UNKNOWN_CALL: "a message has call id {had}, which no call has",
    Kind.SHARED_ID: "call id {had} is also that of call {needed}, which has not ended",
    Kind.NO_CAPTURE: "the file in the archive is no capture that is read, it begins with 0x{had:08X}",
    Kind.LOCAL_TIME: "times are local ones of a zone that the file does not tell, and are read as UTC",
    Kind.MISSING_RECORDS: "{had} of {needed} records that the file lists are missing or corrupt",
    Kind.DROPPED_PACKETS: "{had} packets were dropped while they were captured",
    Kind.BEGUN_ANEW: "the file was begun anew after {needed} octets of it were read, and now has {had}",
    Kind.ENTITY_LIMIT: "more than {needed} of these in the capture; later ones have no row",
}

_METHODS: dict[int, str] = {
    Authentication.NONE: "no authentication",
    Authentication.PAP: "PAP",
    Authentication.CHAP_MD5: "CHAP-MD5",
    Authentication.CHAP_SHA1: "CHAP-SHA1",
    Authentication.MS_CHAP: "MS-CHAPv1",
    Authentication.MS_CHAP_V2: "MS-CHAPv2",
    Authentication.EAP: "EAP",
}
_BIT_SETS = frozenset({"framing_capabilities", "bearer_capabilities"})
_TENTHS = "1/10 s"
# What stands in front of an IPv4 address.
_MAPPED = bytes(10) + b"\xff\xff"
_HEXADECIMAL = frozenset({"magic_cookie", "physical_channel_id", "send_accm", "receive_accm"})


def address(octets: Iterable[int]) -> str:
    """Text of an address of 16 octets; ``::ffff:a.b.c.d`` is IPv4 and shown as such."""
    octets = bytes(octets)
    if octets.startswith(_MAPPED):
        return ".".join(map(str, octets[12:]))
    return str(ipaddress.IPv6Address(octets))


def endpoint(text: str, port: int) -> str:
    """Address, as text, and port."""
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


def instant(time: np.datetime64, nanoseconds: bool = True) -> str:
    """ISO 8601 in UTC with a blank between date and time, "-" for no time."""
    return instants(np.asarray(time).reshape(1), nanoseconds)[0]


def instants(times: np.ndarray[Any, Any], nanoseconds: bool = True) -> list[str]:
    """Many times, as `instant` has one."""
    texts = np.datetime_as_string(times, unit="ns" if nanoseconds else "us").tolist()
    return ["-" if text == "NaT" else text.replace("T", " ") for text in texts]


def duration(nanoseconds: int, digits: int = 3) -> str:
    """Seconds, rounded to some digits, or days, hours, minutes and seconds where there are many."""
    seconds, rest = divmod(_rounded(nanoseconds, 10 ** (9 - digits)), 10**digits)
    if seconds < 120:
        return f"{seconds}.{rest:0{digits}} s"
    minutes, seconds = divmod(_rounded(nanoseconds, 1_000_000_000), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return (f"{days} d " if days else "") + f"{hours}:{minutes:02}:{seconds:02}"


def _rounded(number: int, unit: int) -> int:
    """How many units a number is; half of one counts as one."""
    return (number + unit // 2) // unit


def times(count: int, what: str) -> str:
    """A number of things."""
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


@lru_cache(maxsize=1024)
def flags(number: int, kind: type[IntFlag]) -> tuple[str, ...]:
    """Names of the bits that are set."""
    return tuple(str(bit.name) for bit in kind if number & bit)


def code(number: int, kind: type[IntEnum] | type[IntFlag]) -> str | list[str]:
    """Name of a number, or names of the bits that are set."""
    if issubclass(kind, IntFlag):
        return list(flags(number, kind))
    return str(kind(number).name) if number in set(kind) else str(number)


def authentication(method: int, outcome: int) -> str:
    """The authentication of a call and its outcome; "-" if neither was seen."""
    seen = method != Authentication.NOT_SEEN
    if outcome == Authenticated.NOT_SEEN:
        return _METHODS.get(method, "other") if seen else "-"
    told = "accepted" if outcome == Authenticated.YES else "REFUSED"
    return f"{_METHODS.get(method, 'other')}, {told}" if seen else f"{told}, method not seen"


def encryption(call: Any) -> str:
    """What protects the inner packets of a row of ``calls``."""
    bits = int(call["mppe_bits"])
    in_clear = sum(int(call[name]) for name in ("ipv4_packets", "ipv6_packets", "multilink_ip_packets"))
    if bits & MPPE_BITS:
        lengths = "/".join(map(str, strengths(bits)))
        mode = "stateless" if bits & STATELESS else "stateful"
        agreed = f"MPPE {lengths} {mode}"
        return f"{agreed}, BUT {in_clear:,} in clear" if in_clear else agreed
    method = Compression(int(call["compression"]))
    if in_clear:
        return "in clear"
    if call["compressed_packets"]:
        return "not known" if method <= Compression.NONE else f"in clear, {method.name}"
    return "-"


def message_abbreviation(message_type: int, control_message_type: int) -> str:
    """The RFC's abbreviation of a message, or words for an unknown type."""
    if message_type != 1:
        return "management" if message_type == 2 else f"message-type-{message_type}"
    message = BY_CODE.get(control_message_type)
    return message.abbreviation if message else f"control-type-{control_message_type}"


def value(field: Field, content: Any) -> str:
    """A field of a message in words: a number with its name or unit, a text in quotation marks."""
    if field.kind == "text":
        return quote(bytes(content))
    number = int(content)
    if field.name == "protocol_version":
        return f"{number >> 8}.{number & 0xFF}"
    text = f"0x{number:08X}" if field.name in _HEXADECIMAL else str(number)
    if field.unit == _TENTHS:
        return f"{number // 10}.{number % 10} s"
    if field.enumeration:
        return f"{text} ({_name(field.enumeration, number)})"
    return f"{text} {field.unit}" if field.unit == "bit/s" else text


def is_in_digits(field: Field) -> bool:
    """Whether `value` of each number of a field is its digits alone."""
    is_other = field.name == "protocol_version" or field.name in _HEXADECIMAL or field.unit in (_TENTHS, "bit/s")
    return field.kind == "unsigned" and not field.enumeration and not is_other


def _name(enumeration: str, number: int) -> str:
    names = ENUMERATIONS[enumeration]
    if enumeration in _BIT_SETS:
        return ", ".join(word for bit, word in names.items() if bit & (bit - 1) == 0 and number & bit) or "none"
    return names.get(number, "unknown")


def issue_kind(number: int) -> str:
    """Name of a kind of issue."""
    return Kind(int(number)).name if int(number) in set(Kind) else f"KIND_{int(number)}"


def issue(row: Any, paths: Sequence[str] = ()) -> str:
    """One line about a row of the table ``issues``; `paths` are those of the files, if it is to name them."""
    layer = int(row["layer"])
    name = Layer(layer).name if layer in set(Layer) else f"LAYER_{layer}"
    return f"{name} {issue_kind(row['kind'])} at {issue_place(row, paths)}"


def issue_place(row: Any, paths: Sequence[str] = ()) -> str:
    """The place of an issue and its sentence."""
    kind = int(row["kind"])
    numbers: dict[str, int | str] = {"needed": (needed := int(row["needed"])), "had": int(row["had"])}
    if kind == Kind.FILES_OUT_OF_ORDER and paths:
        numbers = {name: escape(paths[int(row[name])]) for name in numbers}
    # Of UNFOLLOWED, `needed` is the number of a carrier.
    carrier = Carrier(needed).name if needed in set(Carrier) else f"CARRIER_{needed}"
    advice = "capture where they are not wrapped"
    if needed in NAMED_ONLY:
        advice = f"--mirror-port {carrier.lower()}=PORT follows them"
    what = _ISSUES[Kind(kind)].format(**numbers, carrier=carrier, advice=advice) if kind in set(Kind) else str(numbers)
    return f"packet {int(row['packet'])}, offset {int(row['record_offset'])}: {what}"
