"""tshark: prints the fields of each packet of PPTP, a line each.

Knows tshark's command line and its names of the fields.  Of several messages in one segment it gives them all, in one
line; lines are what is counted.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

PROGRAM = True
FIELDS = (
    "gre.proto",
    "frame.number",
    "frame.time_epoch",
    "ip.src",
    "ip.dst",
    "tcp.srcport",
    "tcp.dstport",
    "pptp.control_message_type",
    "pptp.call_id",
    "pptp.peer_call_id",
    "gre.key.call_id",
    "gre.sequence_number",
    "gre.ack_number",
)


def read(path: Path) -> bytes:
    """The lines."""
    command = ["tshark", "-n", "-r", str(path), "-Y", "tcp.port == 1723 or gre", "-T", "fields"]
    for field in FIELDS:
        command += ["-e", field]
    return subprocess.run(command, check=True, capture_output=True).stdout


def answer(lines: bytes) -> dict[str, int]:
    """Packets of either kind; a line that begins with a tab has no GRE."""
    control = sum(line.startswith(b"\t") for line in lines.splitlines())
    return {"control_segments": control, "gre": lines.count(b"\n") - control}
