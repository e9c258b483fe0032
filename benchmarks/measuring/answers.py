"""What a reader found, in the words of the generator's promise, and whether that is right.

Knows the public face of ``pptpcap`` and what the floor prints.  A wrong answer is an exception, so that its time is
never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pptpcap import Capture

Answer = dict[str, Any]

# ``Kind.UNKNOWN_CALL``
_UNKNOWN_CALL = 80


class WrongAnswerError(Exception):
    """A reader did not find what is in the capture."""


def of_capture(capture: Capture) -> Answer:
    """What an engine found."""
    counted = ("connections", "tunnels", "calls", "gre", "messages")
    types = [name for name in capture if "message" in (capture[name].dtype.names or ())]
    return {
        "packets": capture.summary.packets,
        "captured_octets": capture.summary.captured_octets,
        "control_segments": capture.summary.control_segments,
        "picked": capture.summary.control_segments + len(capture["gre"]),
        "gre_payload_octets": int(capture["gre"]["payload_length"].sum(dtype="uint64")),
        "messages_by_type": {name: len(capture[name]) for name in types},
        "damaged": capture.summary.damaged,
        # Messages of calls that were up before the capture began are right, and told.
        "issues": int((capture["issues"]["kind"] != _UNKNOWN_CALL).sum()),
        # A revision of before may not have all tables.
        **{name: len(capture[name]) for name in counted if name in capture},
    }


def of_floor(found: dict[str, Any]) -> Answer:
    """What the floor found."""
    return {
        "packets": found["records"],
        "captured_octets": found["octets"],
        "control_segments": found["control"],
        "gre": found["gre"],
    }


def promised(promise: dict[str, Any]) -> Answer:
    """What a generated capture holds: nothing in it is wrong, so no issue either."""
    headers = 24 + 16 * promise["packets"]
    more = {"captured_octets": promise["octets"] - headers, "damaged": False, "issues": 0}
    more["picked"] = promise["control_segments"] + promise["gre"]
    known = {name: value for name, value in promise.items() if name not in ("octets", "opening_packets")}
    return {**known, **more}


def require(who: str, found: Answer, expected: Answer) -> None:
    """Raise where `found` says anything else than `expected`, or nothing that `expected` knows."""
    wrong = [
        f"{name} is {found[name]}, should be {expected[name]}"
        for name in found
        if name in expected and found[name] != expected[name]
    ]
    if wrong or not found.keys() & expected.keys():
        raise WrongAnswerError(f"{who}: {'; '.join(wrong) or 'nothing to compare'}")
