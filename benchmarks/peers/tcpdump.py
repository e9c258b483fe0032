"""tcpdump: picks the packets of PPTP out of a capture, copies them nowhere, and decodes nothing.

Knows tcpdump's command line.  What it copied nobody counts, so a second run counts, once for each capture, and is not
timed.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

PROGRAM = True
FILTER = "tcp port 1723 or proto 47"


def read(path: Path) -> Path:
    """Pick the packets; the path comes back."""
    subprocess.run(["tcpdump", "-r", str(path), "-w", "/dev/null", FILTER], check=True, capture_output=True)
    return path


@cache
def answer(path: Path) -> dict[str, int]:
    """How many packets the filter picks."""
    command = ["tcpdump", "-r", str(path), "--count", FILTER]
    counted = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {"picked": int(counted.split()[0])}
