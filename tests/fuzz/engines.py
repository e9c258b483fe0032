"""One input through both engines, in every way that must not matter, and what must hold of the outcome.

Knows the protocol of an engine and the public face, not what a right answer is: the twins judge each other.
``Finding`` is what they look for.
"""

from __future__ import annotations

import importlib
import io
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from helpers import MODULES, Decoded, joined, of_capture, same

import pptpcap
from fuzz.guard import Guard
from pptpcap._input.identify import HEAD_SIZE, identify
from pptpcap._show import words
from pptpcap.schema import EVENTS, empty
from pptpcap.wire.limits import DEFAULT, Limits

# Caps so small that every one of them is reached.
SMALL = Limits(
    captured_length=2000,
    block_length=2400,
    interfaces=3,
    link_headers=2,
    network_headers=2,
    extension_headers=2,
    carriers=2,
    datagrams=2,
    carrier_datagrams=2,
    datagram_length=3000,
    fragments=3,
    remembered_octets=700,
    ppp_options=3,
    connections=2,
    connection_rows=4,
    tunnels=5,
    calls=3,
    pieces=3,
    waiting_octets=300,
    history=64,
    held_octets=700,
)
PORTS = (1723,)

# Seconds that one reading of one input may take, in either engine: what takes longer counts as a hang.
MOST_SECONDS = 2.0

_GUARD = Guard()


class Finding(AssertionError):  # noqa: N818
    """What must not be: the engines differ, a reading took too long, something was raised."""


def container_of(data: bytes) -> Any:
    """What the face would say of the file, None where it refuses it."""
    try:
        return identify(data[:HEAD_SIZE], len(data), "<input>")
    except pptpcap.CaptureError:
        return None


def decode(
    engine: str,
    data: bytes,
    limits: Limits = DEFAULT,
    how: str = "whole",
    window: int = 113,
    salvage: bool = False,
) -> Decoded | None:
    """Decode by hand: ``whole`` in one scan, ``records`` one by one, or through ``windows`` as a pipe shows it.

    The compiled engine is given memory that ends at a guard page; behind each scan that was taken in, that memory is
    overwritten.  None where the file is refused.
    """
    container = container_of(data)
    if container is None:
        return None
    module = importlib.import_module(MODULES[engine])
    assembler = module.Assembler(PORTS, limits)
    assembler.begin_file()
    parts: dict[str, list[np.ndarray]] = {name: [] for name in EVENTS}
    guarded = engine == "compiled"
    origin, packets, wide = container.first_record, 0, window
    whole = _GUARD.before_end(data) if guarded and how != "windows" else data
    while origin < len(data):
        more: dict[str, Any] = {"packets_before": packets, "salvage": salvage}
        if how == "windows":
            # Only what begins at the place where the walk stands is there.
            shown = data[origin : origin + wide]
            more |= {"origin": origin, "final": origin + wide >= len(data)}
            scanned, start, stop = (_GUARD.before_end(shown) if guarded else shown), 0, len(shown)
        else:
            more |= {"most_records": 1 if how == "records" else 0}
            scanned, start, stop = whole, origin, len(data)
        scan = module.scan_range(scanned, start, stop, container, PORTS, limits, **more)
        records, moved, damaged, container = scan.records, scan.end - start, scan.damaged, scan.container
        if moved < 0 or moved > stop - start:
            raise Finding(f"{engine} {how}: a scan from {origin} ended at {origin + moved}")
        assembler.feed(scan)
        del scan
        if guarded and how == "windows":
            _GUARD.spoil(len(shown))
        for name, rows in assembler.take().items():
            parts[name].append(rows)
        packets += records
        origin += moved
        if damaged and not salvage:
            break
        if moved:
            wide = window
        elif how == "windows" and not more["final"]:
            wide *= 2
        else:
            raise Finding(f"{engine} {how}: a scan that does not move forward at {origin}")
    assembler.finish()
    if guarded and how != "windows":
        _GUARD.spoil(len(data))
    for name, rows in assembler.take().items():
        parts[name].append(rows)
    tables = {name: joined(rows) if rows else empty(name) for name, rows in parts.items()} | assembler.entities()
    return Decoded(tables, dict(assembler.counters), bool(assembler.damaged), assembler.earliest, assembler.latest)


def timed(engine: str, data: bytes, limits: Limits, how: str, window: int, salvage: bool = False) -> Decoded | None:
    """``decode``, whatever it raises or how long it takes being a finding."""
    began = time.process_time()
    try:
        decoded = decode(engine, data, limits, how, window, salvage)
    except Finding:
        raise
    except Exception as error:
        raise Finding(f"{engine} {how}: raised {type(error).__name__}: {error}") from error
    took = time.process_time() - began
    if took > MOST_SECONDS:
        raise Finding(f"{engine} {how}: took {took:.1f} s of the processor")
    return decoded


def compare(one: Decoded | None, other: Decoded | None, what: str) -> None:
    """All tables, counters and times, to the bit."""
    if one is None or other is None:
        if one is not other:
            raise Finding(f"{what}: one refuses the file")
        return
    try:
        same(one, other, what)
    except AssertionError as error:
        raise Finding(f"{what}: {error}") from error


def examine(data: bytes, window: int = 113, thorough: bool = False) -> int:
    """Raise ``Finding`` where anything is wrong with this input.

    Parameters
    ----------
    data : bytes
        A file, of any kind.
    window : int
        Octets of the first window of a walk through windows.
    thorough : bool
        The reference is split too, and the public face is asked.

    Returns
    -------
    int
        Packets in the file; -1 where it is refused.
    """
    if container_of(data) is None:
        return face(data)
    packets = -1
    for limits, name in ((DEFAULT, "default limits"), (SMALL, "small limits")):
        right = timed("reference", data, limits, "whole", window)
        for how in ("whole", "records", "windows"):
            compare(timed("compiled", data, limits, how, window), right, f"compiled {how}, {name}")
        if thorough:
            for how in ("records", "windows"):
                compare(timed("reference", data, limits, how, window), right, f"reference {how}, {name}")
        if right is not None:
            packets = right.counters["packets"]
    if packets >= 0:
        right = timed("reference", data, DEFAULT, "whole", window, salvage=True)
        for how in ("whole", "windows"):
            compare(timed("compiled", data, DEFAULT, how, window, salvage=True), right, f"salvage, compiled {how}")
    if thorough:
        face(data)
    return packets


class _Stream(io.BytesIO):
    """Octets that come once."""

    def seekable(self) -> bool:
        return False


def face(data: bytes) -> int:
    """The public face: the same rows from octets and from streams; every issue has its words.

    Returns
    -------
    int
        Packets in the file; -1 where it is refused.
    """
    read: dict[str, Decoded | None] = {}
    for engine in MODULES:
        for source in (data, io.BytesIO(data), _Stream(data)):
            name = f"{engine} {type(source).__name__}"
            began = time.process_time()
            try:
                capture = pptpcap.read(source, engine=engine)  # type: ignore[arg-type]
                read[name] = of_capture(capture)
                for row in capture["issues"][:50]:
                    words.issue(row)
                repr(capture)
            except pptpcap.CaptureError:
                read[name] = None
            except Exception as error:
                raise Finding(f"read, {name}: raised {type(error).__name__}: {error}") from error
            if time.process_time() - began > MOST_SECONDS:
                raise Finding(f"read, {name}: took more than {MOST_SECONDS} s of the processor")
    # The headers and the directory of a damaged archive may contradict each other.
    streams = {name: decoded for name, decoded in read.items() if name.endswith("_Stream")}
    if data.startswith(b"PK"):
        read = {name: decoded for name, decoded in read.items() if name not in streams}
        (one, other) = streams.values()
        compare(one, other, "read: streams")
    first, *others = read.items()
    for name, decoded in others:
        compare(decoded, first[1], f"read: {name} and {first[0]}")
    return -1 if first[1] is None else first[1].counters["packets"]
