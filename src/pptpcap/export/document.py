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
from typing import Any, TypeAlias

import numpy as np

from .. import __version__
from .._input.opening import Item
from .._show.words import escape, instant
from ..capture import Summary
from ..schema import TABLE_NAMES
from .formats import FORMATS, file_name, table_of
from .views import NAME as VIEWS
from .views import views

__all__ = ["NAME", "NAMES", "VIEWS", "Conversion", "Found", "documents", "is_same", "is_same_capture", "job", "read"]

NAME = "capture.json"
# Each name that a file in the folder itself may have.
NAMES = frozenset([NAME, VIEWS, *(file_name(table, form) for table in TABLE_NAMES for form in FORMATS)])

# A larger file is neither written nor read.  A source takes some 600 bytes, so about 25,000 fit; parsing a forged
# file takes 600 MB at most.
_MOST_OCTETS = 16 << 20
# Least size of a source, beside its path, which is written twice.
_LEAST_EACH = 400
# Options that say how rows are written, and not which.
_WRITING = ("codes", "community_seed", "partition")
# What capture.json says beside the conversion that was the last one.
_BESIDE = ("finished", "views", "replaced", "kept")

# What was converted and how, and the files of each table.
Conversion: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """A capture.json with the structure of ours.

    Attributes
    ----------
    octets : bytes
        The file.
    finished : bool
        All files that it lists are in place; else any of them, or of those that they replace.
    conversions : list of mapping
        Those whose files are all in place, the last one first.
    sizes : dict of str to set of int
        The files that it lists, and itself, with the sizes that each may have.
    """

    octets: bytes
    finished: bool
    conversions: list[Conversion]
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
    job: Conversion,
    summary: Summary,
    tables: Mapping[str, Mapping[str, int]],
    sizes: Mapping[str, int],
    kept: list[Conversion],
    replaced: Iterable[tuple[str, int]],
) -> tuple[bytes, bytes, bytes]:
    """The unfinished capture.json, valid while files are replaced, the finished one, and the views.

    Parameters
    ----------
    job : mapping
        What `job` gave.
    summary : Summary
        Of the capture.
    tables : mapping of str to mapping of str to int
        Rows of each file of each table.
    sizes : mapping of str to int
        Octets of each file.
    kept : list of mapping
        Earlier conversions, with the tables of them that stay.
    replaced : iterable of (str, int)
        Names and sizes of the files that are replaced or removed.
    """
    made = {table: _output(counts, sizes) for table, counts in tables.items()}
    earlier = next((one for one in kept if is_same(one, job)), None)
    others = [one for one in kept if one is not earlier]
    known = made if earlier is None else {**earlier["tables"], **made}
    earliest, latest = (
        None if np.isnat(time) else instant(time).replace(" ", "T") + "Z" for time in (summary.earliest, summary.latest)
    )
    conversion = {
        **job,
        "damaged": summary.damaged,
        "earliest": earliest,
        "latest": latest,
        "counters": summary.counters,
        "files": [{**asdict(file), "path": escape(file.path)} for file in summary.files],
        "tables": {table: known[table] for table in TABLE_NAMES if table in known},
    }
    sql = views([conversion, *(one for one in others if is_same_capture(one, job))])
    shown = {"views": {"file": VIEWS, "size": len(sql)}} if sql else {}
    before = [{"file": name, "size": size} for name, size in replaced]
    unfinished = {
        "pptpcap": __version__,
        "finished": False,
        "tables": made,
        **shown,
        "replaced": before,
        "kept": kept,
    }
    finished = {"pptpcap": __version__, "finished": True, **conversion, **shown, "kept": others}
    return _octets(unfinished), _octets(finished), sql


def _output(counts: Mapping[str, int], sizes: Mapping[str, int]) -> dict[str, Any]:
    several = [{"file": name, "rows": rows, "size": sizes[name]} for name, rows in counts.items()]
    return {"rows": sum(counts.values()), "files": several}


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
        in_place = list(content["kept"])
        if content["finished"]:
            in_place.insert(0, {name: value for name, value in content.items() if name not in _BESIDE})
        return Found(octets, content["finished"], in_place, sizes)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise FileExistsError(errno.EEXIST, "is there already, and was not written by convert", where) from None


def _listed(content: Any) -> Iterator[tuple[str, int]]:
    """Files and sizes that a capture.json lists; any of the errors that `read` expects where its shape is not ours."""
    finished = content["finished"]
    if not isinstance(finished, bool) or not isinstance(content["pptpcap"], str):
        raise TypeError
    for conversion in (content, *content["kept"]):
        for table, entry in conversion["tables"].items():
            _count(entry["rows"])
            for one in entry["files"]:
                found = table_of(one["file"])
                if found is None or found[0] != table:
                    raise ValueError
                _count(one["rows"])
                yield one["file"], _count(one["size"])
    if "views" in content:
        yield VIEWS, _count(content["views"]["size"])
    for one in () if finished else content["replaced"]:
        if one["file"] != VIEWS and table_of(one["file"]) is None:
            raise ValueError
        yield one["file"], _count(one["size"])


def _count(number: Any) -> int:
    # True is an int too.
    if type(number) is not int or number < 0:
        raise TypeError
    return number


def is_same_capture(one: Conversion, other: Conversion) -> bool:
    """Whether two conversions have the same rows: version, sources, and options of reading."""
    try:
        pairs = [
            (each["pptpcap"], {name: value for name, value in each["options"].items() if name not in _WRITING})
            for each in (one, other)
        ]
        sources = [[*map(_same, each["sources"])] for each in (one, other)]
    except (TypeError, KeyError, AttributeError):
        # A source that is no file is never the same, and a state may be forged.
        return False
    return pairs[0] == pairs[1] and sources[0] == sources[1]


def is_same(one: Conversion, other: Conversion) -> bool:
    """Whether two conversions write the same files of a table."""
    return is_same_capture(one, other) and all(one.get(name) == other[name] for name in ("format", "options"))


def _same(source: Mapping[str, Any]) -> tuple[Any, ...]:
    # A moved folder is the same folder.
    return os.path.basename(source["path"]), source["size"], source["modified_ns"]
