"""What a worker's process can do with a capture, each in one form: read it, and then say what was found.

Knows the public face of ``pptpcap``, its command, and the libraries that decompress.  Only ``read`` is timed.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from . import answers, ways

# Octets of gzip data that are decompressed at once, as by ``pptpcap``, and of zstd data, where it takes 8 blocks.
_GZIP_CHUNK = 16 << 10
_ZSTD_CHUNK = 64 << 10
_ZSTD_LIBRARY = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"


class Subject(Protocol):
    """Something that reads captures; ``PROGRAM`` says that it does so in a process of its own."""

    PROGRAM: bool

    def read(self, path: Path) -> Any:
        """Read a capture, which is what is timed."""

    def answer(self, result: Any) -> answers.Answer:
        """What was found, from what ``read`` gave."""


class Engine:
    """``pptpcap.read`` with all tables.

    Parameters
    ----------
    engine : str
        "compiled" or "reference".
    threads : int
        How many threads scan.
    """

    PROGRAM = False

    def __init__(self, engine: str, threads: int) -> None:
        import pptpcap

        self._read: Callable[..., Any] = pptpcap.read
        self._options: dict[str, Any] = {"engine": engine, "threads": threads}
        if threads == 1 and "threads" not in inspect.signature(pptpcap.read).parameters:
            # A revision that knows of no threads has one.
            del self._options["threads"]

    def read(self, path: Path) -> Any:
        """The capture's tables."""
        return self._read(path, **self._options)

    def answer(self, result: Any) -> answers.Answer:
        """What is counted in them."""
        return answers.of_capture(result)

    def tables(self, path: Path) -> dict[str, list[Any]]:
        """Of each table its rows, its columns, and a digest of its octets, since NaT is not equal to itself."""
        capture = self.read(path)
        found = {}
        for name in capture:
            rows = capture[name]
            digest = hashlib.sha256(rows.view("u1")).hexdigest()
            found[name] = [len(rows), str(rows.dtype), digest]
        return found


class Often(Engine):
    """The same of a small capture, so many times; what the calls take is taken off."""

    CALLS_TAKEN_OFF = True

    def __init__(self, engine: str, threads: int, times: int) -> None:
        super().__init__(engine, threads)
        self._times = times

    def read(self, path: Path) -> Any:
        """The tables of the last time."""
        for _ in range(self._times - 1):
            super().read(path)
        return super().read(path)


class Iterate:
    """``pptpcap.iterate`` with all tables, each batch forgotten before the next."""

    PROGRAM = False

    def read(self, path: Path) -> answers.Answer:
        """What was counted on the way."""
        import pptpcap

        gre = packets = 0
        for batch in pptpcap.iterate(path, threads=1):
            gre, packets = gre + len(batch.gre), batch.summary.packets
        return {"packets": packets, "gre": gre}

    def answer(self, result: answers.Answer) -> answers.Answer:
        """The same."""
        return result


class Convert:
    """The command ``pptpcap convert`` with its defaults, into a folder that is removed."""

    PROGRAM = True

    def __init__(self) -> None:
        done = subprocess.run([*_COMMAND, "convert", "--help"], capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError("this version has no command convert")

    def read(self, path: Path) -> int:
        """The exit code: 0, or 3 where the capture is damaged."""
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".convert-") as folder:
            done = subprocess.run([*_COMMAND, "convert", "-o", folder, str(path)], capture_output=True, check=False)
        if done.returncode not in (0, 3):
            raise RuntimeError(f"convert failed: {done.stderr.decode(errors='replace').strip()}")
        return done.returncode

    def answer(self, result: int) -> answers.Answer:
        """What the exit code says."""
        return {"damaged": result == 3}


_COMMAND = (sys.executable, "-m", "pptpcap")


class Nowhere:
    """Decompresses a file with the libraries and in the pieces that ``pptpcap`` takes, and keeps nothing."""

    PROGRAM = False

    def read(self, path: Path) -> int:
        """Octets that came out."""
        with path.open("rb") as file:
            return _inflated(file) if path.suffix == ".gz" else _unpacked(file)

    def answer(self, result: int) -> answers.Answer:
        """How many they were."""
        return {"decompressed_octets": result}


def _inflated(file: BinaryIO) -> int:
    """Octets of one gzip member, by isal, or by zlib where that is missing."""
    try:
        library: Any = importlib.import_module("isal.isal_zlib")
    except ImportError:
        library = zlib
    state, octets = library.decompressobj(wbits=31), 0
    while part := file.read(_GZIP_CHUNK):
        octets += len(state.decompress(part))
    return octets


def _unpacked(file: BinaryIO) -> int:
    """Octets of one zstd frame."""
    state, octets = importlib.import_module(_ZSTD_LIBRARY).ZstdDecompressor(), 0
    while not state.eof:
        octets += len(state.decompress(file.read(_ZSTD_CHUNK)))
    return octets


def _peer(name: str) -> Subject:
    subject: Any = importlib.import_module(f"peers.{name}")
    return subject  # type: ignore[no-any-return]


SUBJECTS: dict[str, Callable[..., Subject]] = {
    "engine": Engine,
    "often": Often,
    "iterate": Iterate,
    "convert": Convert,
    "nowhere": Nowhere,
    "frame": ways.Frame,
    "text": ways.Text,
    "printed": ways.Printed,
    "peer": _peer,
}
