"""Every code list of RFC 2637 and of the layers below it: number to name.

One list per message where the RFC has one per message: "3" means four different things.  Engines must not use names.
"""

from __future__ import annotations

from .control import MESSAGES
from .ppp import PROTOCOLS

ENUMERATIONS: dict[str, dict[int, str]] = {
    "message_type": {1: "control", 2: "management"},
    "control_message_type": {message.code: message.name for message in MESSAGES},
    "start_result": {
        1: "successful channel establishment",
        2: "general error",
        3: "command channel already exists",
        4: "requester is not authorized",
        5: "protocol version of the requester is not supported",
    },
    "stop_result": {1: "OK", 2: "general error"},
    "echo_result": {1: "OK", 2: "general error"},
    "outgoing_result": {
        1: "connected",
        2: "general error",
        3: "no carrier",
        4: "busy",
        5: "no dial tone",
        6: "time-out",
        7: "do not accept",
    },
    "incoming_result": {1: "connect", 2: "general error", 3: "do not accept"},
    "disconnect_result": {1: "lost carrier", 2: "general error", 3: "admin shutdown", 4: "request"},
    "stop_reason": {1: "none", 2: "stop-protocol", 3: "stop-local-shutdown"},
    "error_code": {
        0: "none",
        1: "not-connected",
        2: "bad-format",
        3: "bad-value",
        4: "no-resource",
        5: "bad-call id",
        6: "pac-error",
    },
    "framing_capabilities": {1: "asynchronous", 2: "synchronous", 3: "asynchronous, synchronous"},
    "bearer_capabilities": {1: "analog", 2: "digital", 3: "analog, digital"},
    "framing_type": {1: "asynchronous", 2: "synchronous", 3: "either"},
    "ppp_protocol": PROTOCOLS,
    "bearer_type": {1: "analog", 2: "digital", 3: "any"},
}
