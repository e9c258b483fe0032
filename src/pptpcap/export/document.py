"""``capture.json``, the state of a folder: what was converted and how, and the files that this made.

Knows JSON, file names and the summary.  Must not know rows.  The file that it reads may be forged.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .. import __version__
from .._input.opening import Item
from .._show.words import escape, instant
from ..capture import Summary
from ..schema import TABLE_NAMES
from .formats import FORMATS, file_name

__all__ = ["NAME", "NAMES", "Found", "documents", "done", "job", "read"]

NAME = "capture.json"
# Each name that a table's file may have, and the table.
_TABLE_OF = {file_name(table, form): table for table in TABLE_NAMES for form in FORMATS}
NAMES = frozenset([NAME, *_TABLE_OF])

# A larger file is neither written nor read.  A source takes some 600 bytes, so about 25,000 fit; parsing a forged
# file takes 600 MB at most.
_MOST_OCTETS = 16 << 20
# Least size of a source, beside its path, which is written twice.
_LEAST_EACH = 400


@dataclass(frozen=True)
class Found:
    """A capture.json with the structure of ours.

    Attributes
    ----------
    octets : bytes
        The file.
    content : dict
        What it says.
    finished : bool
        All files that it lists are in place; else any of them, or of those that they replace.
    sizes : dict of str to set of int
        The files that it lists, and itself, with the sizes that each may have.
    """

    octets: bytes
    content: dict[str, Any]
    finished: bool
    sizes: dict[str, set[int]]


def job(sources: list[Item], form: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The job: version, sources and options."""
    paths = [os.fsencode(item) for item in sources if isinstance(item, str | os.PathLike)]
    if 2 * sum(map(len, paths)) + _LEAST_EACH * len(sources) > _MOST_OCTETS:
        raise _too_large()
    return {"pptpcap": __version__, "format": form, "options": dict(options), "sources": _identities(sources)}


def _identities(sources: list[Item]) -> list[dict[str, Any]] | None:
    """Name, size and time of change of each file; None if a source is not a file."""
    identities = []
    for item in sources:
        if not isinstance(item, str | os.PathLike):
            return None
        status = os.stat(item)
        if not stat.S_ISREG(status.st_mode):
            return None
        path = escape(os.fsdecode(item))
        identities.append({"path": path, "size": status.st_size, "modified_ns": status.st_mtime_ns})
    return identities


def documents(
    job: Mapping[str, Any],
    summary: Summary,
    rows: Mapping[str, int],
    sizes: Mapping[str, int],
    before: Iterable[tuple[str, int]],
) -> tuple[bytes, bytes]:
    """The unfinished capture.json, valid while files are replaced, and the finished one.

    Parameters
    ----------
    job : mapping
        What `job` gave.
    summary : Summary
        Of the capture.
    rows : mapping of str to int
        Rows of each table.
    sizes : mapping of str to int
        Octets of each table's file.
    before : iterable of (str, int)
        Names and sizes of the files that are replaced or removed.
    """
    earliest, latest = (
        None if np.isnat(time) else instant(time).replace(" ", "T") + "Z" for time in (summary.earliest, summary.latest)
    )
    tables = {table: _output(table, job["format"], count, sizes) for table, count in rows.items()}
    replaced = [{"file": name, "size": size} for name, size in before]
    unfinished = {"pptpcap": __version__, "finished": False, "tables": tables, "replaced": replaced}
    finished = {
        "pptpcap": __version__,
        "finished": True,
        **job,
        "damaged": summary.damaged,
        "earliest": earliest,
        "latest": latest,
        "counters": summary.counters,
        "files": [{**asdict(file), "path": escape(file.path)} for file in summary.files],
        "tables": tables,
    }
    return _octets(unfinished), _octets(finished)


def _output(table: str, form: str, rows: int, sizes: Mapping[str, int]) -> dict[str, Any]:
    name = file_name(table, form)
    return {"file": name, "rows": rows, "size": sizes[name]}


def _octets(content: Mapping[str, Any]) -> bytes:
    octets = (json.dumps(content, indent=2) + "\n").encode()
    if len(octets) > _MOST_OCTETS:
        raise _too_large()
    return octets


def _too_large() -> OSError:
    return OSError(errno.EFBIG, f"would have more than {_MOST_OCTETS >> 20} MiB: too many files for one folder", NAME)


def read(folder: int, path: str) -> Found | None:
    """The capture.json of a folder, None if there is none.

    Parameters
    ----------
    folder : int
        Descriptor of the folder.
    path : str
        The folder for people.

    Raises
    ------
    FileExistsError
        Where something has that name which convert does not write.
    OSError
        Where it cannot be read.
    """
    where = os.path.join(path, NAME)
    try:
        # Does not wait for the writer of a named pipe, and follows no link.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        with open(NAME, "rb", opener=lambda name, _: os.open(name, flags, dir_fd=folder)) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            octets = file.read(_MOST_OCTETS + 1) if regular else b""
    except FileNotFoundError:
        return None
    except OSError as error:
        # The last two: a link, a socket.
        if error.errno not in (errno.EISDIR, errno.ELOOP, errno.EMLINK, errno.ENXIO):
            error.filename = where
            raise
        octets = b""
    try:
        if len(octets) > _MOST_OCTETS:
            raise ValueError
        content = json.loads(octets.decode())
        sizes: dict[str, set[int]] = {NAME: {len(octets)}}
        for name, size in _listed(content):
            sizes.setdefault(name, set()).add(size)
        return Found(octets, content, content["finished"], sizes)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise FileExistsError(errno.EEXIST, "is there already, and was not written by convert", where) from None


def _listed(content: Any) -> Iterator[tuple[str, int]]:
    """Files and sizes that a capture.json lists; any of the errors that `read` expects where its shape is not ours."""
    finished = content["finished"]
    if not isinstance(finished, bool) or not isinstance(content["pptpcap"], str):
        raise TypeError
    for table, entry in content["tables"].items():
        if _TABLE_OF[entry["file"]] != table:
            raise ValueError
        _count(entry["rows"])
        yield entry["file"], _count(entry["size"])
    for entry in () if finished else content["replaced"]:
        if entry["file"] not in _TABLE_OF:
            raise ValueError
        yield entry["file"], _count(entry["size"])


def _count(number: Any) -> int:
    # True is an int too.
    if type(number) is not int or number < 0:
        raise TypeError
    return number


def done(found: Found | None, folder: int, job: Mapping[str, Any]) -> tuple[dict[str, int], bool] | None:
    """Rows of each table, and whether a file was damaged, where the job was done before and all is there; else None."""
    if found is None or not found.finished or job["sources"] is None:
        return None
    before = found.content
    try:
        same = all(before[name] == job[name] for name in job if name != "sources")
        if not same or [*map(_same, before["sources"])] != [*map(_same, job["sources"])]:
            return None
        rows = {table: before["tables"][table]["rows"] for table in job["options"]["tables"]}
        damaged = bool(before["damaged"])
    except (TypeError, KeyError, AttributeError):
        return None
    there = all(_is_there(folder, file_name(table, job["format"]), found) for table in rows)
    return (rows, damaged) if there else None


def _is_there(folder: int, name: str, found: Found) -> bool:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size in found.sizes.get(name, ())


def _same(source: Mapping[str, Any]) -> tuple[Any, ...]:
    # A moved folder is the same folder.
    return os.path.basename(source["path"]), source["size"], source["modified_ns"]
