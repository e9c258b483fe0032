"""Other tools that read PPTP, each told to find the same: addresses, message type and ids, GRE's call id and numbers.

Knows which tools there are and how to tell that one is not installed.  Each module of this folder is one of them, in
the form of ``measuring.subjects.Subject``, and is imported only in the process that runs it.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import subprocess

PROGRAMS = ("tcpdump", "tshark")
LIBRARIES = ("dpkt", "scapy")
PEERS = (*PROGRAMS, *LIBRARIES)

# TCP port of the control connection.
PORT = 1723


def absent(name: str) -> str:
    """Why a peer cannot be run here; "" where it can."""
    if name in PROGRAMS:
        return "" if shutil.which(name) else "not installed"
    return "" if importlib.util.find_spec(name) else "not installed, make bench installs it"


def version(name: str) -> str:
    """The version of a peer that is installed."""
    if name in LIBRARIES:
        return importlib.metadata.version(name)
    done = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)
    # tcpdump has told its version on standard error at times.
    return (done.stdout or done.stderr).partition("\n")[0].rstrip(".")
