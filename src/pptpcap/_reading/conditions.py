"""Conditions on rows: tests of the columns of a table, and the way from the scanned table to the one that has them.

Knows what tables hold and how they point to one another.  Must not know files or engines.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from .._arrow.cells import is_code, key_of
from .._show.nearest import nearest
from .._show.null import Mask, absent, octets_known
from .._show.words import escape_all_octets
from ..capture import Capture
from ..wire.ip import ADDRESS
from ..wire.model import Column
from ..wire.tables import BY_NAME, POINTERS

__all__ = ["Condition", "Step", "applies", "condition", "fulfilling", "fulfilling_all"]

Values: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Test: TypeAlias = Callable[[Values], Mask]
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# Conditions that a table can have through those that its rows belong to.
_INHERITED = ("time", "address", "call", "connection", "message")
# The first and the last time of an entity.
_SPANS = {
    "connections": ("first_time", "last_time"),
    "tunnels": ("first_time", "last_time"),
    "calls": ("start_time", "last_time"),
}
_MAPPED = bytes(10) + b"\xff\xff"

_SECOND = 1_000_000_000
_TIME = re.compile(
    r"(\d{4}(?:-\d\d(?:-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)?)?)(?:\.(\d{1,9}))?"
    r"(?:(Z)|([+-])(\d\d):?(\d\d))?"
)


class Step(NamedTuple):
    """A column that points to a row of another table."""

    column: str
    table: str


# What a row belongs to: what its first pointer points to, but a PPP packet to its tunnel.
_OWNERS = {table: Step(*next(iter(pointers.items()))) for table, pointers in POINTERS.items() if pointers} | {
    "ppp": Step("tunnel", "tunnels")
}


@dataclass(frozen=True)
class Condition:
    """What rows have to fulfil.

    Parameters
    ----------
    name : str
        As the caller named it.
    steps : tuple of Step
        The way to the table that is tested.
    table : str
        That table.
    tests : tuple of tuple of str and callable
        Columns, or the key, with what their values have to fulfil; they can be pickled.
    combines : {"all", "any"}
        Whether each test has to be fulfilled, or one.
    """

    name: str
    steps: tuple[Step, ...]
    table: str
    tests: tuple[tuple[str, Test], ...]
    combines: Literal["all", "any"] = "all"

    @property
    def columns(self) -> set[str]:
        """The columns that are tested, without the key."""
        return {name for name, _ in self.tests} - {key_of(self.table)}

    @property
    def behind(self) -> Condition:
        """The same condition for the table that the first step leads to."""
        return replace(self, steps=self.steps[1:])

    @property
    def entity(self) -> tuple[str, Condition] | None:
        """The first table of entities on the way and the condition for it; their rows come when the capture ends."""
        rest = self
        while rest.steps:
            table, rest = rest.steps[0].table, rest.behind
            if BY_NAME[table].is_entity:
                return table, rest
        return None

    def reads(self, table: str, *, entities: bool = False) -> dict[str, set[str]]:
        """Columns that it needs if it is for this table, by table: up to the first step to entities, or all."""
        needed: dict[str, set[str]] = {}
        for column, owner in self.steps:
            needed[table] = {column}
            if BY_NAME[owner].is_entity and not entities:
                return needed
            table = owner
        needed[table] = self.columns
        return needed


def condition(table: str, name: str, value: Any) -> Condition:
    """The condition that a caller gave by name.

    Raises
    ------
    ValueError, TypeError
        Where the table has no such column or condition, or the value is none that it can have.
    """
    is_message_type = name == "message" and _is_text(value)
    steps = _way(table, name, is_message_type)
    if steps is None:
        columns = [key_of(table), *(column.name for column in BY_NAME[table].columns)]
        known = [*columns, *(one for one in _INHERITED if one not in columns and _way(table, one) is not None)]
        raise ValueError(f"{table} has no column or condition {name!r}{nearest(name, known)}")
    at = steps[-1].table if steps else table
    columns_by_name = {column.name: column for column in BY_NAME[at].columns}
    if is_message_type:
        kind = columns_by_name["control_message_type"]
        is_control = ("message_type", _test_of(columns_by_name["message_type"], name, "control"))
        return Condition(name, steps, at, (is_control, (kind.name, _test_of(kind, name, value))))
    if name in columns_by_name:
        return Condition(name, steps, at, ((name, _test_of(columns_by_name[name], name, value)),))
    if name == key_of(at):
        return Condition(name, steps, at, ((name, _numbers(name, value, np.dtype(np.int64), operator.index)),))
    if name == "time":
        return Condition(name, steps, at, _overlap(_SPANS[at], name, value))
    test = _addresses(name, value)
    tests = tuple((column.name, test) for column in BY_NAME[at].columns if column.shape)
    return Condition(name, steps, at, tests, "any")


def applies(table: str, name: str, value: Any) -> bool:
    """Whether a table has such a column, or can have such a condition; the value may still be a wrong one."""
    return _way(table, name, name == "message" and _is_text(value)) is not None


def _way(table: str, name: str, is_message_type: bool = False) -> tuple[Step, ...] | None:
    """Steps to the table in which a condition can be tested; None if no table that the row belongs to has it."""
    steps: list[Step] = []
    at = table
    while not _has(at, name, is_message_type):
        if name not in _INHERITED or at not in _OWNERS:
            return None
        steps.append(_OWNERS[at])
        at = steps[-1].table
    return tuple(steps)


def _has(table: str, name: str, is_message_type: bool) -> bool:
    if is_message_type:
        return table == "messages"
    if name == "address":
        return any(column.shape for column in BY_NAME[table].columns)
    has_span = name == "time" and table in _SPANS
    return has_span or name == key_of(table) or any(column.name == name for column in BY_NAME[table].columns)


def fulfilling(condition: Condition, table: str, capture: Capture, known: Mapping[str, Mask]) -> Mask:
    """True for each row of a table that fulfils a condition; a value that was not seen fulfils none.

    Parameters
    ----------
    condition : Condition
        For this table.
    table : str
        Name of a table.
    capture : Capture
        A batch that has it, with the columns that are tested and what tells whether they were seen.
    known : mapping of str to numpy.ndarray
        Entity tables of which it is known which rows fulfil the condition.
    """
    rows, first_row = capture[table], capture.first_row
    if not condition.steps:
        missing = absent(table, rows, octets_known(table, capture, first_row), condition.columns)
        masks = []
        for name, test in condition.tests:
            is_key = name == key_of(table)
            mask = test(np.arange(first_row[table], first_row[table] + len(rows)) if is_key else rows[name])
            masks.append(mask & ~missing[name] if name in missing else mask)
        combined: Mask = np.logical_and.reduce(masks) if condition.combines == "all" else np.logical_or.reduce(masks)
        return combined
    column, owner = condition.steps[0]
    owners = known[owner] if owner in known else fulfilling(condition.behind, owner, capture, known)
    first = 0 if owner in known else first_row[owner]
    places = rows[column] - first
    mask = places >= 0
    mask[mask] = owners[places[mask]]
    return mask


def fulfilling_all(
    conditions: Iterable[Condition],
    table: str,
    batch: Capture,
    known: Mapping[Condition, Mapping[str, Mask]] = MappingProxyType({}),
) -> Mask:
    """True for each row of a table that fulfils all conditions.

    Parameters
    ----------
    conditions, table, batch
        As for `fulfilling`; a batch read with `ends` has the connections of its messages.
    known : mapping of Condition to mapping of str to numpy.ndarray
        By condition that goes through other entities, what `fulfilling` has to know.
    """
    mask = np.ones(len(batch[table]), np.bool_)
    for one in conditions:
        entities = known.get(one, {})
        if one.entity and not entities:
            entities = {"connections": _of_ends(one.entity[1], batch)}
        mask &= fulfilling(one, table, batch, entities)
    return mask


def _of_ends(condition: Condition, batch: Capture) -> Mask:
    """Which connections fulfil a condition, by number, of those that a batch has messages of."""
    numbers = np.fromiter(batch.ends, np.int64, len(batch.ends))
    mask = np.zeros(numbers.max(initial=-1) + 1, np.bool_)
    if batch.ends:
        connections = Capture({"connections": np.array(list(batch.ends.values()))}, batch.summary)
        mask[numbers] = fulfilling(condition, "connections", connections, {})
    return mask


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (
        isinstance(value, Collection) and not isinstance(value, bytes) and any(isinstance(one, str) for one in value)
    )


def _test_of(column: Column, name: str, value: Any) -> Test:
    """The test of one column."""
    if column.shape:
        return _addresses(name, value)
    if column.dtype.startswith("S"):
        return _texts(name, value)
    if column.dtype == "bool":
        return _truths(name, value)
    if column.dtype.startswith("datetime64"):
        return _times(name, value)
    dtype = np.dtype(column.dtype)
    if not is_code(column):
        return _numbers(name, value, dtype, operator.index)
    return _numbers(name, value, dtype, lambda one: _number_of(column, one))


def _ends_or_values(name: str, value: Any) -> tuple[Any, Any] | list[Any]:
    """A tuple of the two ends of a range, or a list of values."""
    if isinstance(value, tuple):
        if len(value) != 2:
            raise ValueError(f"{name}: a tuple is a range and has two ends, not {len(value)}; values are a list")
        return value
    is_one = isinstance(value, str | bytes | Network) or not isinstance(value, Iterable)
    values = [value] if is_one else list(value)
    if any(one is None for one in values):
        raise ValueError(f"{name}: None is no value that a row can have; what was not seen fulfils no condition")
    return values


def _values(name: str, value: Any, what: str) -> list[Any]:
    values = _ends_or_values(name, value)
    if isinstance(values, tuple):
        raise ValueError(f"{name}: {what} have no range; a list has several values")
    return values


def _numbers(name: str, value: Any, dtype: np.dtype[Any], number: Callable[[Any], int | list[int]]) -> Test:
    """Whether numbers are some numbers, or in a half-open range; `number` makes one from what a caller gives."""
    least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    wanted = _ends_or_values(name, value)
    if isinstance(wanted, list):
        told = [one for each in wanted for one in _told(name, each, number)]
        numbers = np.array([one for one in told if least <= one <= most], dtype)
        return partial(np.isin, test_elements=numbers)
    low = least if wanted[0] is None else max(least, min(_told(name, wanted[0], number)))
    last = most if wanted[1] is None else min(most, min(_told(name, wanted[1], number)) - 1)
    if low > last:
        return partial(np.isin, test_elements=np.empty(0, dtype))
    return partial(_lie_between, dtype.type(low), dtype.type(last))


def _lie_between(low: Any, last: Any, found: Values) -> Mask:
    fits: Mask = (found >= low) & (found <= last)
    return fits


def _told(name: str, value: Any, number: Callable[[Any], int | list[int]]) -> list[int]:
    """The numbers that one value stands for; errors name the condition."""
    try:
        found = number(value)
    except TypeError:
        raise TypeError(f"{name}: {value!r} is no value that it can have") from None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    return found if isinstance(found, list) else [found]


def _number_of(column: Column, value: Any) -> int | list[int]:
    """Numbers that have a name, or a number itself."""
    if not isinstance(value, str):
        return operator.index(value)
    names = column.values
    found = [number for number, name in names.items() if name == value]
    if found or value.isdecimal():
        return found or int(value)
    raise ValueError(f"there is no {value!r}{nearest(value, names.values())}")


def _nanoseconds(value: Any) -> int:
    """Nanoseconds since 1970 of ISO 8601 text, a date, a datetime or a datetime64; UTC where it does not say."""
    if hasattr(value, "isoformat"):
        value = value.isoformat()
    elif isinstance(value, np.datetime64):
        value = str(value)
    if not isinstance(value, str):
        return operator.index(value)
    match = _TIME.fullmatch(value)
    try:
        if match is None:
            raise ValueError
        seconds = int(np.datetime64(match[1], "s").astype(np.int64))
    except ValueError:
        raise ValueError(f"{value!r} is no time such as 2024-05-01T12:00:00.5Z") from None
    if match[4]:
        ahead = int(match[5]) * 3600 + int(match[6]) * 60
        seconds += -ahead if match[4] == "+" else ahead
    return seconds * _SECOND + int((match[2] or "0").ljust(9, "0"))


def _times(name: str, value: Any) -> Test:
    return partial(_are_times, _numbers(name, value, np.dtype(np.int64), _nanoseconds))


def _are_times(test: Test, found: Values) -> Mask:
    fits: Mask = test(found.view(np.int64)) & ~np.isnat(found)
    return fits


def _overlap(span: tuple[str, str], name: str, value: Any) -> tuple[tuple[str, Test], ...]:
    """Tests of the first and the last time of an entity: that it was there at a time, or at some time of a range."""
    wanted = _ends_or_values(name, value)
    if isinstance(wanted, list):
        if len(wanted) != 1:
            raise ValueError(f"{name}: of what lasts, one time or a range can be asked for")
        (instant,) = _told(name, wanted[0], _nanoseconds)
        wanted = (instant, instant + 1)
    first, last = span
    return (first, _times(name, (None, wanted[1]))), (last, _times(name, (wanted[0], None)))


def _truths(name: str, value: Any) -> Test:
    values = _values(name, value, "truths")
    if not all(isinstance(one, bool | np.bool_) for one in values):
        raise TypeError(f"{name} is True or False, not {value!r}")
    return partial(np.isin, test_elements=values)


def _texts(name: str, value: Any) -> Test:
    """Whether texts are some texts: the octets themselves, or as they are shown."""
    values = _values(name, value, "texts")
    if not all(isinstance(one, str | bytes) for one in values):
        raise TypeError(f"{name} is text, not {value!r}")
    return partial(_are_texts, {one.rstrip(b"\0") if isinstance(one, bytes) else one for one in values})


def _are_texts(wanted: set[bytes | str], found: Values) -> Mask:
    different, places = np.unique(found, return_inverse=True)
    fits = [one in wanted or escape_all_octets(one) in wanted for one in different.tolist()]
    return np.array(fits, np.bool_)[places]


def _addresses(name: str, value: Any) -> Test:
    """Whether addresses of 16 octets are in one of some networks."""
    networks = []
    for one in _values(name, value, "addresses"):
        try:
            networks.append(_octets(ipaddress.ip_network(one, strict=False)))
        except (ValueError, TypeError):
            raise ValueError(f"{name}: {one!r} is no address or network such as 10.0.0.0/8") from None
    return partial(_are_in, networks)


def _are_in(networks: list[tuple[Values, Values, bool]], found: Values) -> Mask:
    is_mapped = np.all(found[:, : len(_MAPPED)] == np.frombuffer(_MAPPED, np.uint8), axis=1)
    masks = [
        np.all(found & bits == network, axis=1) & (is_mapped == holds_mapped)
        for network, bits, holds_mapped in networks
    ]
    fits: Mask = np.logical_or.reduce([np.zeros(len(found), np.bool_), *masks])
    return fits


def _octets(network: Network) -> tuple[Values, Values, bool]:
    """A network and its mask as 16 octets, and whether it is one of IPv4, which no IPv6 network holds."""
    address, bits = network.network_address.packed, network.netmask.packed
    if len(address) < ADDRESS:
        address, bits = _MAPPED + address, b"\xff" * len(_MAPPED) + bits
    holds_mapped = address.startswith(_MAPPED) and bits.startswith(b"\xff" * len(_MAPPED))
    return np.frombuffer(address, np.uint8), np.frombuffer(bits, np.uint8), holds_mapped
