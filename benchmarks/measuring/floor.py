"""The floor from Python: compiles ``floor.c`` where needed, runs it as a program, or calls its walk on a buffer.

Knows what ``floor.c`` prints and its one function, not what the counts should be.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent.parent
SOURCE = HERE / "floor.c"
BUILD = HERE / "build"
# No flag of one machine: the floor is a program that anyone could ship.
FLAGS = ("-O3", "-std=c11", "-Wall", "-Wextra")


class _Counts(ctypes.Structure):
    _fields_ = (
        ("records", ctypes.c_uint64),
        ("octets", ctypes.c_uint64),
        ("control", ctypes.c_uint64),
        ("gre", ctypes.c_uint64),
    )


def compiler() -> list[str]:
    """The C compiler's command, from ``CC`` if that is set."""
    return shlex.split(os.environ.get("CC", "cc"))


def program() -> Path:
    """The floor as a program, compiled if it is not there yet."""
    return _compiled("floor")


def _compiled(name: str, *more: str) -> Path:
    command = [*compiler(), *FLAGS, *more]
    key = hashlib.sha256(SOURCE.read_bytes() + "\0".join(command).encode()).hexdigest()
    target = BUILD / f"{name}-{key[:12]}"
    if not target.exists():
        BUILD.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            made = Path(folder) / name
            subprocess.run([*command, "-o", str(made), str(SOURCE)], check=True)
            os.replace(made, target)
    return target


class FloorError(Exception):
    """The floor cannot walk this file; the message says why."""


def run(path: Path, repeats: int = 1) -> dict[str, Any]:
    """Run the program on a file.

    Parameters
    ----------
    path : Path
        A pcap file over Ethernet.
    repeats : int
        Walks, of each of the two ways to map the file.

    Returns
    -------
    dict
        What the program prints: ``records``, ``octets``, ``control``, ``gre``, and the times ``walk`` and
        ``map_and_walk``, each with ``seconds`` and ``processor_seconds``, one for each walk, ``best`` and ``median``.

    Raises
    ------
    FloorError
        Where the file is of another kind.
    """
    done = subprocess.run([str(program()), str(path), str(repeats)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise FloorError(done.stderr.strip())
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


class Function:
    """The walk as a function of this process, so that one harness can time the floor and the engines."""

    def __init__(self) -> None:
        self._walk = ctypes.CDLL(str(_compiled("floor.so", "-shared", "-fPIC"))).floor_walk
        self._walk.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(_Counts))
        self._walk.restype = ctypes.c_int

    def __call__(self, data: NDArray[np.uint8]) -> dict[str, int]:
        """Counts of a capture that is in memory or mapped."""
        counts = _Counts()
        if self._walk(data.ctypes.data, len(data), ctypes.byref(counts)) != 0:
            raise FloorError("no pcap file over Ethernet")
        return {name: int(getattr(counts, name)) for name, _ in _Counts._fields_}
