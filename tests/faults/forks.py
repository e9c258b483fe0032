"""Runs ``pptpcap`` again and again, each time in a process that is forked when it has been imported.

Knows the lines that ``Forks`` writes and reads.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import signal
import sys
from typing import Any

# A run that hangs ends with SIGALRM.
SECONDS = 60


def become(wanted: dict[str, Any]) -> None:
    """Take the place that a process of the command's own would have."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, path in enumerate((os.devnull, wanted["out"], wanted["err"])):
        descriptor = os.open(path, flags if number else os.O_RDONLY)
        os.dup2(descriptor, number)
        os.close(descriptor)
    # Buffered lines of the server are not for the command.
    sys.stdin = os.fdopen(0, closefd=False)
    sys.argv = ["pptpcap", *wanted["arguments"]]
    os.environ.update(wanted["environment"])
    signal.alarm(SECONDS)
    # What a shell starts in the background ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ctypes.CDLL(None).faults_begin()


def serve() -> None:
    """Give a line with an exit code for each line; return in each fork."""
    for line in sys.stdin:
        child = os.fork()
        if not child:
            become(json.loads(line))
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    sys.exit()


if __name__ == "__main__":
    for module in ("pptpcap.cli", "pptpcap.cli.program", "pptpcap.core", *sys.argv[1:]):
        importlib.import_module(module)
    # A fork that looks for garbage would copy all that was imported.
    gc.freeze()
    serve()
    sys.modules["pptpcap.cli"].main()
