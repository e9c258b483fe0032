"""Tables as Python objects, value by value: those of arrays, and those that other libraries have."""

from __future__ import annotations

import ipaddress
import math
import re
from enum import IntFlag
from functools import cache
from typing import Any

import communityid
import pytest
from pyarrows import IS_LEFT_OUT, pyarrow

from pptpcap._show.null import absent, octets_known
from pptpcap.wire.tables import BY_NAME

polars = pytest.importorskip("polars")
duckdb = pytest.importorskip("duckdb")
pandas = pytest.importorskip("pandas")

KEYS = {"ppp_options": "ppp_option", "messages": "message", "issues": "issue", "calls": "call"}
KEYS |= {"connections": "connection", "tunnels": "tunnel", "gre": "gre", "ppp": "ppp"}


# Of datetime64, as its integer.
_NO_TIME = -(2**63)


@cache
def address_of(octets: bytes) -> str:
    address = ipaddress.IPv6Address(octets)
    return str(address.ipv4_mapped or address)


@cache
def text_of(octets: bytes) -> str:
    """As docs/exports.md says: printable ASCII unchanged, a backslash doubled, else its number."""
    spelled = (chr(one) if 32 <= one < 127 else f"\\x{one:02x}" for one in octets.rstrip(b"\0"))
    return "".join("\\\\" if one == "\\" else one for one in spelled)


def cells(capture: Any, name: str, codes: bool = False) -> dict[str, list[Any]]:
    """The columns of a table as Python objects, value by value; times in ns since 1970."""
    rows = capture[name]
    missing = absent(name, rows, octets_known(name, capture, capture.first_row))
    told: dict[str, list[Any]] = {KEYS.get(name, "row"): list(range(len(rows)))}
    for column in BY_NAME[name].columns:
        values = rows[column.name]
        named = column.names is not None and not (isinstance(column.names, type) and issubclass(column.names, IntFlag))
        spelled: list[Any]
        if column.shape:
            spelled = [address_of(bytes(value)) for value in values]
        elif column.dtype.startswith("S"):
            spelled = [text_of(value) for value in values.tolist()]
        elif column.dtype.startswith("datetime64"):
            spelled = [None if one == _NO_TIME else one for one in values.astype("int64").tolist()]
        elif named and not codes:
            spelled = [column.values.get(int(one), str(int(one))) for one in values.tolist()]
        else:
            spelled = values.tolist()
        if column.name in missing:
            spelled = [None if none else one for one, none in zip(spelled, missing[column.name], strict=True)]
        told[column.name] = spelled
    if name in FLOWS:
        told["community_id"] = community_ids(rows, name)
    return told


# Protocol, columns of addresses, columns of ports.
FLOWS: dict[str, tuple[int, tuple[str, str], tuple[str, ...]]] = {
    "connections": (6, ("initiator_address", "responder_address"), ("initiator_port", "responder_port")),
    "tunnels": (47, ("source", "destination"), ()),
}


def community_ids(rows: Any, name: str, seed: int = 0) -> list[str]:
    """As the package of those who defined it has them."""
    protocol, addresses, ports = FLOWS[name]
    told = []
    for row in rows:
        spelled = [address_of(bytes(row[column])) for column in addresses]
        flow = communityid.FlowTuple(protocol, *spelled, *(int(row[column]) for column in ports))
        told.append(communityid.CommunityID(seed=seed).calc(flow))
    return told


def from_arrow(table: Any) -> dict[str, list[Any]]:
    read = pyarrow.table(table)
    read.validate(full=True)
    told = {}
    for name in read.column_names:
        column = read[name]
        if pyarrow.types.is_timestamp(column.type):
            assert column.type == pyarrow.timestamp("ns", "UTC")
            column = column.cast(pyarrow.int64())
        told[name] = column.to_pylist()
    return told


def from_polars(table: Any) -> dict[str, list[Any]]:
    return from_frame(polars.DataFrame(table))


def from_frame(frame: Any) -> dict[str, list[Any]]:
    return {
        name: (
            frame[name].dt.epoch("ns") if frame.schema[name] == polars.Datetime("ns", "UTC") else frame[name]
        ).to_list()
        for name in frame.columns
    }


def from_duckdb(table: Any) -> dict[str, list[Any]]:
    return from_relation(duckdb.from_arrow(table))


def from_relation(relation: Any) -> dict[str, list[Any]]:
    named = [
        f'epoch_ns("{name}") as "{name}"' if "TIMESTAMP" in str(kind) else f'"{name}"'
        for name, kind in zip(relation.columns, relation.types, strict=True)
    ]
    rows = relation.project(", ".join(named)).fetchall()
    return {name: [row[place] for row in rows] for place, name in enumerate(relation.columns)}


def from_pandas(table: Any) -> dict[str, list[Any]]:
    told = {}
    frame = table.to_pandas()
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pandas.DatetimeTZDtype):
            told[name] = [None if one is pandas.NaT else one.value for one in column]
        else:
            told[name] = [
                None if one is None or one is pandas.NA or (isinstance(one, float) and math.isnan(one)) else one
                for one in column.tolist()
            ]
    return told


# Every library that takes a table, and is here.
READERS = {"polars": from_polars, "duckdb": from_duckdb, "pandas": from_pandas}
READERS |= {} if IS_LEFT_OUT else {"arrow": from_arrow}


def from_csv(text: str) -> list[list[Any]]:
    """The cells of each line by RFC 4180, without line ends in them; None for one that is empty and not quoted."""
    rows: list[list[Any]] = []
    for line in text.removesuffix("\n").split("\n"):
        rows.append([])
        rest = f",{line}"
        while rest:
            match = re.match(r',(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)', rest)
            assert match, line
            quoted, plain = match.groups()
            rows[-1].append((plain or None) if quoted is None else quoted.replace('""', '"'))
            rest = rest[match.end() :]
    return rows
