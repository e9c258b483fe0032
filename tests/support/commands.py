"""How tests run the command, in this process or in a shell.

Knows the entry point and no command.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from places import CAPTURES

from pptpcap.cli import main

MSS88 = CAPTURES / "mss88.pcap"
ALL15 = CAPTURES / "synthetic_scapy_all15.pcap"
NO_REPLY = CAPTURES / "echo_client_no_reply.pcap"
COMMAND = [sys.executable, "-m", "pptpcap"]


def call(*arguments: object) -> tuple[int, str, str]:
    """Run a command in this process: exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["pptpcap", *map(_text, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        main()
    assert isinstance(end.value.code, int)
    return end.value.code, out.getvalue(), err.getvalue()


def _text(argument: object) -> str:
    return os.fspath(argument) if isinstance(argument, os.PathLike) else str(argument)


def installed(folder: Path) -> str:
    """PATH with the command by its name, in a folder that must not be there."""
    folder.mkdir()
    script = folder / "pptpcap"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pptpcap "$@"\n')
    script.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def shell(line: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which $P is the command."""
    script = f"set -o pipefail; P='{' '.join(COMMAND)}'; {line}"
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, **more)
