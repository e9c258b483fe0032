"""Commands with faults in their calls for files: ``shim.c`` built and loaded in front of the C library; Linux only.

Knows the environment that the shim reads, and no command of the project.  Usage::

    calls = run(command, under=folder).calls                              # what is called, nothing fails
    for at in range(1, len(calls) + 1):
        run(command, under=folder, fault=Fault("ENOSPC", at))             # also "short", "SIGKILL", "SIGINT"
    run(command, under=folder, fault=Fault("EIO", 1, times=0, calls="fsync"))   # from the first fsync on, all fail

``Forks`` does the same for ``pptpcap`` without importing it each time.
"""

from __future__ import annotations

import atexit
import errno
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Fault:
    """What happens to which of the numbered calls.

    Attributes
    ----------
    what : str
        Name of an error, which the call gives instead of being made; "short", half of what a call was to read or write;
        or name of a signal, which comes just before the call.
    at : int
        Number of the first call that it happens to; the first is 1.
    times : int
        How many calls it happens to, 0 for all that follow.
    calls : str
        Names of the calls that are numbered, with spaces between them; all where it is empty.
    """

    what: str = ""
    at: int = 0
    times: int = 1
    calls: str = ""

    def environment(self, under: str | os.PathLike[str], log: str) -> dict[str, str]:
        """What the shim is to be told."""
        if self.what.startswith("SIG"):
            what = f"signal {signal.Signals[self.what].value}"
        elif self.what in ("", "short"):
            what = self.what
        else:
            what = f"error {getattr(errno, self.what)}"
        return {
            "FAULTS_UNDER": os.path.realpath(under) if under else "",
            "FAULTS_CALLS": f",{self.calls.replace(' ', ',')}," if self.calls else "",
            "FAULTS_LOG": log,
            "FAULTS_WHAT": what,
            "FAULTS_AT": str(self.at),
            "FAULTS_TIMES": str(self.times),
        }


class Call(NamedTuple):
    """A numbered call: name of the function, and path, the second one where there are two."""

    name: str
    path: str


class Run(NamedTuple):
    """How a command ended, and its numbered calls; the code is that of `subprocess`."""

    code: int
    out: str
    err: str
    calls: list[Call]


def is_possible() -> bool:
    """Whether the shim can be built and loaded here."""
    return sys.platform == "linux" and sys.maxsize > 2**32 and shutil.which(_compiler()) is not None


def _compiler() -> str:
    return os.environ.get("CC", "cc").split()[0]


@functools.cache
def shim() -> str:
    """The built library, removed when the process ends."""
    folder = tempfile.mkdtemp(prefix="faults")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    library = os.path.join(folder, "shim.so")
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-U_FORTIFY_SOURCE"]
    subprocess.run([_compiler(), *flags, "-o", library, str(HERE / "shim.c"), "-ldl"], check=True)
    return library


def _preloaded() -> dict[str, str]:
    others = os.environ.get("LD_PRELOAD", "")
    return os.environ | {"LD_PRELOAD": f"{others}:{shim()}".strip(":")}


def run(
    command: Sequence[str | os.PathLike[str]],
    under: str | os.PathLike[str] = "",
    fault: Fault = Fault(),
    timeout: float = 60,
    **more: Any,
) -> Run:
    """Run a command; its calls on files below a folder are numbered, and have the fault."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        options: dict[str, Any] = {
            "env": _preloaded() | fault.environment(under, log),
            "text": True,
            "timeout": timeout,
        }
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        # What a shell starts in the background ignores it.
        options["preexec_fn"] = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        done = subprocess.run(command, check=False, **options)
        return Run(done.returncode, done.stdout or "", done.stderr or "", _logged(log))


def _logged(log: str) -> list[Call]:
    with open(log, encoding="utf-8", errors="surrogateescape") as file:
        return [Call(*line.rstrip("\n").split(" ", 1)) for line in file]


class Forks:
    """Runs of ``pptpcap``, each forked from one process that has imported it.

    A context; beside it the same could be done with `run`.  Calls of the import are not numbered.

    Parameters
    ----------
    *modules : str
        What else is imported once.
    """

    def __init__(self, *modules: str) -> None:
        self._modules = modules

    def __enter__(self) -> Self:
        self._folder = tempfile.mkdtemp(prefix="faults")
        self._server = subprocess.Popen(
            [sys.executable, HERE / "forks.py", *self._modules],
            env=_preloaded(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def run(
        self,
        arguments: Sequence[object],
        under: str | os.PathLike[str] = "",
        fault: Fault = Fault(),
    ) -> Run:
        """Run ``pptpcap`` with these arguments; its standard input is empty."""
        out, err, log = (os.path.join(self._folder, name) for name in ("out", "err", "log"))
        for path in (out, err, log):
            Path(path).write_bytes(b"")
        words = [os.fspath(one) if isinstance(one, os.PathLike) else str(one) for one in arguments]
        wanted = {"arguments": words, "out": out, "err": err, "environment": fault.environment(under, log)}
        assert self._server.stdin is not None and self._server.stdout is not None
        print(json.dumps(wanted), file=self._server.stdin, flush=True)
        code = int(self._server.stdout.readline())
        said, told = (Path(path).read_text(encoding="utf-8", errors="surrogateescape") for path in (out, err))
        return Run(code, said, told, _logged(log))

    def __exit__(self, *_: object) -> None:
        self._server.communicate()
        shutil.rmtree(self._folder)
