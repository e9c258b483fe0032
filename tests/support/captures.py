"""Captures of the lab, which the repository holds compressed, and those of the folder that may lie beside it.

Unpacks a capture when it is first asked for, once a process.  Must not know what is in one.
"""

from __future__ import annotations

import lzma
import shutil
import tempfile
from functools import cache
from pathlib import Path

from places import CAPTURES, SHARED

PACKED = CAPTURES / "lab"
# Captures whose every message, packet, connection and call an independent walk tells of.
WALKED = sorted(path.name.removesuffix(".ref.json.xz") for path in PACKED.glob("*.ref.json.xz"))
PUBLIC = sorted(path.name.removesuffix(".ref.json") for path in (SHARED / "public").glob("*.ref.json"))
# Why a test that compares with the captures of others is skipped: they may not be copied.
NOT_OURS = "captures of others are not in the repository"


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Goes with the process; each has its own, so none meets a file that another writes."""
    return tempfile.TemporaryDirectory(prefix="lab")


@cache
def lab(name: str) -> Path:
    """Where a capture of the lab, or its reference, stands unpacked.

    Parameters
    ----------
    name : str
        Name of the file without ``.xz``.

    Returns
    -------
    pathlib.Path
        A file of that name.
    """
    path = Path(_folder().name) / name
    with lzma.open(PACKED / f"{name}.xz") as packed, open(path, "wb") as file:
        shutil.copyfileobj(packed, file)
    return path


def walked(name: str) -> Path:
    """Where a capture that has a reference stands, or its reference: of the lab or of others."""
    return SHARED / "public" / name if name.removesuffix(".ref.json") in PUBLIC else lab(name)
