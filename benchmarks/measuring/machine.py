"""What a figure depends on besides the code: processor, memory, versions, load.

Knows where the system says such things, nothing of the benchmarks.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

from .floor import FLAGS, compiler


def facts() -> dict[str, str]:
    """Machine and versions, by name."""
    command = compiler()
    return {
        "processor": _processor(),
        "cores": f"{cores()} of {os.cpu_count()}",
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()) + " (1, 5, 15 minutes, before the run)",
        "compiler": f"{_first_line([*command, '--version'])}, {' '.join(FLAGS)}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": _version("numpy"),
        "isal": _version("isal"),
        "zstd": "standard library" if sys.version_info >= (3, 14) else f"backports.zstd {_version('backports.zstd')}",
        "pptpcap": f"{_version('pptpcap')}, revision {_revision()}",
    }


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (ValueError, OSError):
        return "unknown"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _revision() -> str:
    here = str(Path(__file__).resolve().parent)
    revision = _first_line(["git", "-C", here, "rev-parse", "--short", "HEAD"])
    changed = _first_line(["git", "-C", here, "status", "--porcelain", "--untracked-files=no"])
    return revision + (" and changes" if changed not in ("", "unknown") else "")


def _first_line(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.partition("\n")[0]
