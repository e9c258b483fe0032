"""Converts one capture into one folder, or each of several into a folder of its own.

Knows ``_reading`` and the other modules of this package.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from .._input.again import State, require_unchanged, states
from .._input.opening import Item
from .._input.options import Options
from .._reading.api import Progress, batches
from .._reading.conditions import Condition, fulfilling_all
from .._reading.known import known_entities
from .._reading.lazy import with_sources
from .._show.words import escape
from ..capture import Capture, Summary
from ..errors import CaptureError
from ..wire.control import MESSAGES
from ..wire.tables import BY_NAME
from . import document
from .commit import replace
from .document import Conversion, Found
from .folder import PART, Folder
from .formats import Format, Partition, table_of
from .output import Output
from .system import Inode, inode

__all__ = ["Converted", "Request", "by_name", "convert_each", "convert_one", "inodes"]

_BATCH_BYTES = 16 << 20
_MESSAGES = frozenset(message.name for message in MESSAGES)


@dataclass(frozen=True)
class Converted:
    """What `convert` did.

    Attributes
    ----------
    folder : str
        Where the files are.
    rows : dict of str to int
        Rows of each table.
    damaged : bool
        A file of the capture is damaged.
    again : bool
        All had been done before, so nothing was.
    anew : bool
        A process that was killed had left a part of it, which was thrown away.
    summary : Summary or None
        Counters and files of the capture; None where nothing was done.

    Examples
    --------
    >>> from pptpcap.export import convert
    >>> done = convert("vpn.pcap", "tables", format="csv", tables=["calls"], overwrite=True)
    >>> done.rows, done.damaged
    ({'calls': 1}, False)
    """

    folder: str
    rows: dict[str, int]
    damaged: bool
    again: bool
    anew: bool
    summary: Summary | None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be written, and how; `convert` documents each."""

    form: Format
    tables: tuple[str, ...]
    codes: bool
    community_seed: int
    partition: Partition | None
    only: bool
    overwrite: bool
    identities: bool
    options: Options
    where: Mapping[str, Any]
    choices: Mapping[str, tuple[Condition, ...]]
    progress: Progress
    watch: Callable[[Capture], object] | None

    def job(self, several: list[Item]) -> dict[str, Any]:
        """What a conversion is the same by: version, sources, and what decides on the octets of the tables' files."""
        how = self.options
        options: dict[str, Any] = {
            "ports": sorted({*how.ports}),
            "on_corrupt": how.on_corrupt,
            "duplicates": how.duplicates,
            "separate": how.separate,
            "order": how.order,
            "mirrors": sorted([*pair] for pair in how.mirror_ports),
            "identities": self.identities,
            "max_memory": how.max_memory,
            "codes": self.codes,
            "community_seed": self.community_seed,
            "partition": self.partition,
        }
        if self.where:
            options["where"] = {name: _spelled(value) for name, value in self.where.items()}
        return document.job(several, self.form, options)


def convert_one(request: Request, several: list[Item], folder: str, spared: Mapping[Inode, str]) -> Converted:
    """Convert one capture.

    Parameters
    ----------
    request : Request
        What is to be written.
    several : list of path, bytes-like or binary file object
        The files of the capture.
    folder : str
        Where it is written.
    spared : mapping of (int, int) to str
        Device and inode of each file that must be neither replaced nor removed, and its name.
    """
    job = request.job(several)
    if done := _done_before(folder, job, request):
        _tidy(folder, spared)
        return done
    is_read_twice = any(one.entity for some in request.choices.values() for one in some)
    before = states(several, "convert with conditions") if is_read_twice else {}
    mode = 0o600 if request.identities else 0o666
    with Folder(folder, document.NAMES, _is_ours, spared, mode) as opened:
        found = document.read(opened.descriptor, folder)
        plan = _Plan.of(found, opened.descriptor, job, request)
        # Another process may have come to its end just now.
        if not plan.missing:
            return plan.done(folder)
        if found is not None and not request.overwrite:
            plan.require_leave(found, job, folder)
        inside = [name for table in plan.missing if request.partition for name in opened.inside(table)]
        standing = opened.standing(found.sizes if found else {}, inside)
        opened.clear()
        outputs: dict[str, Output] = {}
        try:
            for table in plan.missing:
                partition = None if BY_NAME[table].is_entity else request.partition
                outputs[table] = Output(
                    opened, table, request.form, request.codes, partition, community_seed=request.community_seed
                )
            summary = _pour(request, several, outputs, before)
        except BaseException:
            for output in outputs.values():
                output.abandon()
            raise
        old = {name: file for name, file in standing.items() if name not in plan.stay}
        unfinished, finished, sql = document.documents(
            job,
            summary,
            {table: output.files for table, output in outputs.items()},
            opened.sizes(),
            plan.kept,
            [(name, file.size) for name, file in old.items() if name != document.NAME],
        )
        new = [name for output in outputs.values() for name in output.files]
        if sql:
            opened.write(document.VIEWS, sql)
            new.append(document.VIEWS)
        opened.require_unchanged(standing, [*new, *inside])
        replace(opened, old, new, unfinished, finished, found.octets if found else b"")
    rows = {table: outputs[table].rows if table in outputs else plan.there[table] for table in request.tables}
    anew = opened.was_left or (found is not None and not found.finished)
    return Converted(folder, rows, summary.damaged, again=False, anew=anew, summary=summary)


def _spelled(value: Any) -> Any:
    """A condition as JSON has it: a range, values, or one value."""
    if isinstance(value, tuple):
        return {"from": _spelled(value[0]), "to": _spelled(value[1])}
    if isinstance(value, list | set | frozenset):
        return sorted(map(_spelled, value), key=repr)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _is_ours(name: str) -> bool:
    return table_of(name) is not None


@dataclass(frozen=True)
class _Plan:
    """What is left to be done in a folder.

    Parameters
    ----------
    missing : list of str
        Tables that are to be written.
    there : dict of str to int
        Rows of those that were written before.
    damaged : bool
        The capture was damaged when they were written.
    kept : list of mapping
        Earlier conversions, with the tables of them that stay.
    """

    missing: list[str]
    there: dict[str, int]
    damaged: bool
    kept: list[Conversion]

    @classmethod
    def of(cls, found: Found | None, descriptor: int, job: Conversion, request: Request) -> _Plan:
        """What is left to be done where a capture.json was found."""
        if found is None:
            return cls([*request.tables], {}, False, [])
        same: Conversion = next(
            (one for one in found.conversions if document.is_same(one, job) and isinstance(one.get("damaged"), bool)),
            {"tables": {}, "damaged": False},
        )
        others = any(one is not same or {*one["tables"]} - {*request.tables} for one in found.conversions)
        there = {}
        if found.finished and not (request.only and others):
            there = {
                table: same["tables"][table]["rows"]
                for table in request.tables
                if table in same["tables"] and _is_whole(descriptor, same["tables"][table])
            }
        missing = [table for table in request.tables if table not in there]
        kept = [] if request.only else [_kept(descriptor, one, missing, request.form) for one in found.conversions]
        return cls(missing, there, same["damaged"], [one for one in kept if one["tables"]])

    @property
    def stay(self) -> set[str]:
        """Files of the conversions that are kept."""
        return {file["file"] for one in self.kept for entry in one["tables"].values() for file in entry["files"]}

    def done(self, folder: str) -> Converted:
        """The result where nothing is missing."""
        return Converted(folder, self.there, self.damaged, again=True, anew=False, summary=None)

    def require_leave(self, found: Found, job: Conversion, folder: str) -> None:
        """Raise FileExistsError where the folder is of another capture, or has one of the tables, written otherwise."""
        for one in found.conversions:
            names: list[str] = []
            if found.finished and not document.is_same_capture(one, job):
                names = [document.NAME]
            elif not document.is_same(one, job):
                replaced = [table for table in self.missing if _has(one, table, job["format"])]
                names = [file["file"] for table in replaced for file in one["tables"][table]["files"]]
            for name in names:
                where = os.path.join(folder, name)
                raise FileExistsError(errno.EEXIST, "is of another conversion, which is not to be overwritten", where)


def _has(conversion: Conversion, table: str, form: str) -> bool:
    """Whether a conversion has a table in a format."""
    files = conversion["tables"].get(table, {"files": []})["files"]
    return any(table_of(one["file"]) == (table, form) for one in files)


def _kept(folder: int, conversion: Conversion, missing: Iterable[str], form: str) -> Conversion:
    """A conversion with the files that are still there, without the tables that are written now in the same format."""
    replaced = {table for table in missing if _has(conversion, table, form)}
    tables = {
        table: {**entry, "files": [one for one in entry["files"] if _is_there(folder, one)]}
        for table, entry in conversion["tables"].items()
        if table not in replaced
    }
    return {**conversion, "tables": {table: entry for table, entry in tables.items() if entry["files"]}}


def _is_whole(folder: int, entry: Mapping[str, Any]) -> bool:
    """Whether all files of a table are there; those that are not may have been left out when others were written."""
    rows = sum(one["rows"] for one in entry["files"])
    return rows == entry["rows"] and all(_is_there(folder, one) for one in entry["files"])


def _is_there(folder: int, file: Mapping[str, Any]) -> bool:
    try:
        status = os.stat(file["file"], dir_fd=folder, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == file["size"]


def _done_before(folder: str, job: Conversion, request: Request) -> Converted | None:
    """The result where all was done before, without touching the folder."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        # It is not there, or `Folder` will say what is wrong.
        return None
    try:
        plan = _Plan.of(document.read(descriptor, folder), descriptor, job, request)
        return None if plan.missing else plan.done(folder)
    finally:
        os.close(descriptor)


def _tidy(folder: str, spared: Mapping[Inode, str]) -> None:
    """Remove leftovers of a killed process, and nothing else."""
    if os.path.lexists(os.path.join(folder, PART)):
        with contextlib.suppress(OSError), Folder(folder, document.NAMES, _is_ours, spared):
            pass


def _pour(request: Request, several: list[Item], outputs: Mapping[str, Output], before: dict[str, State]) -> Summary:
    """Write all rows, or those that fulfil the conditions."""
    conditions = [one for table in outputs for one in request.choices.get(table, ())]
    walked = partial(batches, several, options=request.options, batch_bytes=_BATCH_BYTES, identities=request.identities)
    known = known_entities(conditions, lambda needed: _walk(walked, needed))
    reading = walked(tables=_needed(outputs, request.partition is not None, conditions), progress=request.progress)
    for batch in reading:
        require_unchanged(before)
        for table, output in outputs.items():
            chosen = request.choices.get(table)
            output.add(batch, np.flatnonzero(fulfilling_all(chosen, table, batch, known)) if chosen else None)
        summary = batch.summary
        if request.watch is not None:
            request.watch(batch)
    for output in outputs.values():
        output.close()
    return summary


def _walk(walked: Callable[..., Generator[Capture, None, None]], needed: Mapping[str, set[str]]) -> Any:
    columns = with_sources(needed)
    return walked(tables=columns, columns=columns)


def _needed(wanted: Iterable[str], needs_times: bool, conditions: Iterable[Condition]) -> list[str]:
    """With what says which octets of messages are known, what has the times of rows, and what is watched.

    Also the tables that rows point to on the way to what a condition tests, up to the first of entities.
    """
    needed = [*wanted, "issues"]
    for one in conditions:
        for step in one.steps:
            if BY_NAME[step.table].is_entity:
                break
            needed.append(step.table)
    if _MESSAGES.intersection(needed):
        needed.append("messages")
    if needs_times and "ppp_options" in needed:
        needed.append("ppp")
    return needed


def convert_each(
    request: Request, named: Mapping[str, Item], folder: str
) -> Iterator[Converted | CaptureError | OSError]:
    """Convert each capture alone.

    Parameters
    ----------
    request : Request
        What is to be written.
    named : mapping of str to path
        As `by_name` returns them.
    folder : str
        Has a folder for each.

    Yields
    ------
    Converted or CaptureError or OSError
        What was done, or why it was not.

    Raises
    ------
    OSError
        Where the disk is full, for no other capture would fit either.
    """
    # The results of one must not replace another that is read later.
    spared = inodes(named.values())
    for name, item in named.items():
        done: Converted | CaptureError | OSError
        try:
            done = convert_one(request, [item], os.path.join(folder, name), spared)
        except CaptureError as error:
            done = error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            done = error
        yield done


def by_name(several: list[Item]) -> dict[str, Item]:
    """Files by the names of their folders: their own, with the folders in front that tell equal names apart.

    Raises
    ------
    ValueError
        Where one has no name, or two would be in one folder.
    """
    groups: dict[str, dict[str, Item]] = {}
    for item in several:
        if not isinstance(item, str | os.PathLike):
            raise ValueError("each capture needs a name, which a stream does not have")
        path = os.path.abspath(os.fsdecode(item))
        group = groups.setdefault(os.path.basename(path), {})
        if path in group:
            raise _in_one_folder(group[path], item)
        group[path] = item
    named: dict[str, Item] = {}
    for group in groups.values():
        depth = 1
        while len({_end(path, depth) for path in group}) < len(group):
            depth += 1
        named |= {_end(path, depth): item for path, item in group.items()}
    for name, item in named.items():
        above = os.path.dirname(name)
        while above:
            if above in named:
                raise _in_one_folder(named[above], item)
            above = os.path.dirname(above)
    # In the order given.
    places = {id(item): place for place, item in enumerate(several)}
    return dict(sorted(named.items(), key=lambda pair: places[id(pair[1])]))


def _end(path: str, depth: int) -> str:
    return os.path.join(*path.split(os.sep)[-depth:])


def _in_one_folder(one: Any, other: Any) -> ValueError:
    names = [escape(os.fsdecode(item)) for item in (one, other)]
    return ValueError(f"each capture has a folder of its name, and {names[0]} and {names[1]} would be in one")


def inodes(several: Iterable[Item]) -> dict[Inode, str]:
    """Device and inode of each source that is a file, under all its names, and one name."""
    found = {}
    for item in several:
        with contextlib.suppress(AttributeError, OSError, TypeError, ValueError):
            if isinstance(item, str | os.PathLike):
                found[inode(os.stat(item))] = os.fsdecode(item)
            else:
                found[inode(os.fstat(item.fileno()))] = "<stream>"  # type: ignore[union-attr]
    return found
