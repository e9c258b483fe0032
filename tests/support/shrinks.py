"""Files that are cut short at random moments while another process reads them with a map, and how that ends.

Knows outcomes, and not how a reading comes to one.  ``python tests/support/shrinks.py --count 1000`` prints a table.  The
seed gives what is done to the file; which moment of the reading that meets is the machine's.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from builder import echo, gre, gre_frame, pcap, pcap_header, stream

import pptpcap

WHOLE, EARLY, ERROR = "all rows", "cut before it was opened", "CaptureError"
# How a child tells what it met.
CODES = {0: WHOLE, 3: EARLY, 4: ERROR, 5: "wrong rows", 6: "another error"}
ENGINES = ("compiled", "reference")


def octets(size: int) -> bytes:
    """A capture of about so many octets: control messages, and packets of Enhanced GRE of many lengths."""
    frames = [gre_frame(gre(bytes(range(1, 1 + number % 200)), sequence=number)) for number in range(1000)]
    part = stream(echo(1), echo(2))[24:] + pcap(frames)[24:]
    return pcap_header() + part * (size // len(part))


def digest(capture: pptpcap.Capture) -> str:
    """What tells the rows of one reading from others."""
    rows = sha256()
    for table in ("messages", "gre", "issues", "tunnels"):
        rows.update(getattr(capture, table).tobytes())
    return rows.hexdigest()


def read_in_child(path: Path, size: int, expected: str, **how: Any) -> int:
    """Begin to read in a process of its own; its number."""
    with warnings.catch_warnings():
        # From Python 3.12 on, where the process has another thread, as one of pytest-xdist has; it holds no lock here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    code = 6
    try:
        capture = pptpcap.read(path, **how)
        code = 3 if capture.summary.files[0].size < size else 0 if digest(capture) == expected else 5
    except pptpcap.CaptureError:
        code = 4
    except BaseException:  # noqa: BLE001
        # Whatever it was, somebody has to find it.
        traceback.print_exc()
    finally:
        os._exit(code)


def outcome(child: int) -> str:
    """How a reading ended."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return f"died of {signal.Signals(-status).name}" if status < 0 else CODES[status]


def timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def run(count: int, size: int, threads: int, engine: str, seed: int) -> Counter[str]:
    """Cut a file short so many times; how often each outcome came."""
    chance = random.Random(seed)
    how: dict[str, Any] = {"threads": threads, "engine": engine}
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shrinks"
        content = octets(size)
        path.write_bytes(content)
        expected = digest(pptpcap.read(path, **how))
        took = min(timed(lambda: outcome(read_in_child(path, len(content), expected, **how))) for _ in range(5))
        for _ in range(count):
            path.write_bytes(content)
            moment, length = chance.uniform(0, took), chance.randrange(len(content))
            child = read_in_child(path, len(content), expected, **how)
            time.sleep(moment)
            os.truncate(path, length)
            counts[outcome(child)] += 1
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="truncations for each number of threads")
    parser.add_argument("--size", type=int, default=32 << 20, help="octets of the file")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--engine", choices=ENGINES, default="compiled")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    found = {threads: run(chosen.count, chosen.size, threads, chosen.engine, chosen.seed) for threads in chosen.threads}
    good = [WHOLE, EARLY, ERROR]
    bad = sorted({name for counts in found.values() for name in counts} - set(good))
    print(f"{'outcome':24}" + "".join(f"{threads:>4} threads" for threads in found))
    for name in good + bad:
        print(f"{name:24}" + "".join(f"{counts[name]:12}" for counts in found.values()))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
