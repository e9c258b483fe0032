"""``capture.sql``: views in DuckDB over the files of a folder, and over each other.

Knows what the columns of tables mean, and DuckDB's SQL.  Names of files are relative to the folder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._arrow.cells import chosen, is_code, key_of, type_of
from ..wire.status import CallKind, CallReason, GreStatus, Side
from ..wire.tables import BY_NAME
from .formats import table_of

__all__ = ["NAME", "views"]

NAME = "capture.sql"

_HEAD = """\
-- Views over the files of this folder, for DuckDB that runs in it.  From elsewhere, name the folder first:
-- SET file_search_path = 'FOLDER';
"""

# Those of text; Parquet has types of its own.
_TYPES = {
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "uint8": "UTINYINT",
    "int16": "SMALLINT",
    "uint16": "USMALLINT",
    "int32": "INTEGER",
    "uint32": "UINTEGER",
    "int64": "BIGINT",
    "uint64": "UBIGINT",
    "timestamp[ns, UTC]": "TIMESTAMP WITH TIME ZONE",
    "utf8": "VARCHAR",
    "dictionary<int32, utf8>": "VARCHAR",
}


@dataclass(frozen=True)
class _Files:
    """The files of a table, in a format that DuckDB reads."""

    table: str
    form: str
    pattern: str
    codes: bool

    def read(self) -> str:
        """The call that reads them."""
        pattern = _text(self.pattern)
        match self.form:
            case "parquet":
                return f"read_parquet({pattern})"
            case "csv":
                how = (
                    "header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false"
                )
                return f"read_csv({pattern}, auto_detect = false, {how}, columns = {self._columns()})"
        return f"read_json({pattern}, format = 'newline_delimited', columns = {self._columns()})"

    def _columns(self) -> str:
        columns = chosen(BY_NAME[self.table], None)
        names = [key_of(self.table) if column is None else column.name for column in columns]
        types = [_TYPES[type_of(column, self.codes)] for column in columns]
        return "{" + ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in zip(names, types, strict=True)) + "}"

    def words(self) -> str:
        """All columns, with names in place of numbers."""
        replaced = [
            f"{_case(column.name, column.values)} AS {_name(column.name)}"
            for column in BY_NAME[self.table].columns
            if self.codes and is_code(column)
        ]
        return f"* REPLACE ({', '.join(replaced)})" if replaced else "*"


def views(conversions: Collection[Mapping[str, Any]]) -> bytes:
    """The statements that make the views; empty where no file can be read by DuckDB.

    Parameters
    ----------
    conversions : collection of mapping
        Conversions of one capture as capture.json has them.  Of a table that several have, the first counts.
    """
    files: dict[str, _Files] = {}
    for conversion in conversions:
        for table, entry in conversion["tables"].items():
            found = _files_of(table, entry, bool(conversion["options"].get("codes")))
            if found is not None:
                files.setdefault(table, found)
    statements = [
        f"CREATE OR REPLACE VIEW {_name(view)} AS\n{query};\n" for view, query in [*_tables(files), *_joined(files)]
    ]
    return "\n".join([_HEAD, *statements]).encode() if statements else b""


def _files_of(table: str, entry: Mapping[str, Any], codes: bool) -> _Files | None:
    for one in entry["files"]:
        named = table_of(one["file"])
        if named is None or named[1] not in ("parquet", "csv", "jsonl"):
            return None
        form = named[1]
        return _Files(table, form, f"{table}/*.{form}" if "/" in one["file"] else one["file"], codes)
    return None


def _tables(files: Mapping[str, _Files]) -> Iterator[tuple[str, str]]:
    for table in BY_NAME:
        if table in files:
            yield table, f"SELECT * FROM {files[table].read()}"


def _joined(files: Mapping[str, _Files]) -> Iterator[tuple[str, str]]:
    """Views over those of the tables."""
    if {"messages", "connections"} <= files.keys():
        yield "messages_with_addresses", _MESSAGES.format(words=files["messages"].words())
    if "calls" in files:
        yield "calls_in_words", _CALLS.format(words=files["calls"].words())
    if "gre" in files:
        yield "loss_per_second", _LOSS


_MESSAGES = """\
SELECT
    "m".*,
    CASE WHEN "from_initiator" THEN "initiator_address" ELSE "responder_address" END AS "source",
    CASE WHEN "from_initiator" THEN "responder_address" ELSE "initiator_address" END AS "destination"
FROM (SELECT {words} FROM "messages") AS "m"
LEFT JOIN (SELECT "connection", "initiator_address", "responder_address" FROM "connections") AS "c" USING ("connection")
ORDER BY "message\""""

_CALLS = f"""\
SELECT
    "call", "connection", "start_time", "last_time",
    date_diff('millisecond', "start_time", "last_time") / 1000 AS "seconds",
    CASE WHEN "kind" = '{CallKind.INCOMING.name}' THEN "pac_address" ELSE "pns_address" END AS "caller",
    CASE WHEN "kind" = '{CallKind.INCOMING.name}' THEN "pns_address" ELSE "pac_address" END AS "called",
    "pns_name", "pac_name", "kind", "phase", "reason", "ended_by",
    CASE
        WHEN "reason" = '{CallReason.OPEN.name}' THEN 'open'
        WHEN "ended_by" = '{Side.NONE.name}' THEN lower(replace("reason", '_', ' '))
        ELSE lower(replace("reason", '_', ' ')) || ', ' || "ended_by" || ' first'
    END AS "story",
    "authentication", "authenticated", "compression",
    "pns_packets", "pns_lost", "pac_packets", "pac_lost"
FROM (SELECT {{words}} FROM "calls")
ORDER BY "call\""""

# Rule 10.3.3 of the decoding: what was passed over is lost unless it comes later.
_LOSS = f"""\
SELECT
    "tunnel",
    date_trunc('second', "time") AS "second",
    count("sequence_number") AS "packets",
    sum("skipped")::BIGINT - count(*) FILTER (WHERE "status" & {int(GreStatus.REORDERED)} <> 0) AS "lost",
    count(*) FILTER (WHERE "status" & {int(GreStatus.REORDERED)} <> 0) AS "reordered",
    count(*) FILTER (WHERE "status" & {int(GreStatus.DUPLICATED)} <> 0) AS "duplicated"
FROM "gre"
WHERE "tunnel" IS NOT NULL AND "sequence_number" IS NOT NULL
GROUP BY ALL
ORDER BY ALL"""


def _case(column: str, names: Mapping[int, str]) -> str:
    cases = " ".join(f"WHEN {number} THEN {_text(name)}" for number, name in names.items())
    return f"CASE {_name(column)} {cases} ELSE {_name(column)}::VARCHAR END"


def _name(name: str) -> str:
    """A name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"
