"""A user's script, which type checkers must read as the tables and counters are: ``make check`` fails where an ignored line is no error."""

from __future__ import annotations

import numpy as np

import pptpcap

capture = pptpcap.read("capture.pcap", threads=2)
packets: np.ndarray = capture.gre
calls = capture.calls["pns_call_id"]
capture.grey  # type: ignore[attr-defined]  # noqa: B018
octets: int = capture.summary.captured_octets + capture.summary.files[0].size
capture.summary.grey  # type: ignore[attr-defined]  # noqa: B018
pptpcap.read("capture.pcap", thread=2)  # type: ignore[call-arg]
