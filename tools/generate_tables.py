"""Write ``docs/tables.md``: every table and column, every number that has a name, every kind of issue, from ``wire``.

Knows how Markdown is written, no meaning of its own but when a column is null.  Run by ``make generate``; with
``--check`` (run by ``make check``) it writes nothing and fails where the document that is checked in differs.
"""

from __future__ import annotations

import inspect
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum, IntFlag
from pathlib import Path

from pptpcap.cli.info import _COUNTERS
from pptpcap.wire import carriers, link, ppp, status
from pptpcap.wire.control import BY_NAME as MESSAGES
from pptpcap.wire.enumerations import ENUMERATIONS
from pptpcap.wire.issues import MEANINGS
from pptpcap.wire.model import Absence, Column, Equal, Table, Unset
from pptpcap.wire.tables import TABLES

TARGET = Path(__file__).parent.parent / "docs" / "tables.md"

HEAD = """<!-- Generated from src/pptpcap/wire by tools/generate_tables.py: do not edit. -->

# Tables

Each table is a NumPy structured array. [The decoding rules](decoding/README.md) say how each value is found.

* **Type** is the NumPy type. `uint8 x 16` is an array of 16 octets, `S64` is text of up to 64 octets.
* **Null when** says when a row has no value. The array then has 0, and exports have null.
* **tshark** is the name of the same field in Wireshark, if it has one.
* Rows of **event** tables never change. Rows of **entity** tables can change until the capture ends.
"""

ENUMS: tuple[type[IntEnum] | type[IntFlag], ...] = (
    status.MessageStatus,
    status.GreStatus,
    status.PppStatus,
    status.CallStatus,
    status.CallPresent,
    status.Present,
    status.Layer,
    status.Severity,
    status.End,
    status.CallKind,
    status.CallEnd,
    status.CallPhase,
    status.CallReason,
    status.Side,
    status.Authentication,
    status.Authenticated,
    status.Compression,
    status.EapMethod,
    carriers.Carrier,
)

# What no column can say of itself: the functions of `_show/null.py` in words.
_CUT = "the header is cut, and this field and all behind it are 0"
NULL_WHEN = {
    ("gre", "call_id"): _CUT,
    ("gre", "payload_length"): _CUT,
    ("gre", "sequence_number"): f"S is clear; or {_CUT}",
    ("gre", "acknowledgment_number"): f"A is clear; or {_CUT}",
    **{
        ("ppp", name): "`status` has `NO_HEAD`; or the octets are not in the packet or in the capture"
        for name in ("code", "identifier", "length")
    },
    ("ppp_options", "value"): "the option has no data",
}


def escaped(text: str) -> str:
    """Text for a cell, in which nothing is Markdown but code between backticks."""
    parts = text.split("`")
    for index in range(0, len(parts), 2):
        for character in "\\*_<>[]":
            parts[index] = parts[index].replace(character, "\\" + character)
    return "`".join(parts).replace("|", "\\|")


def rows(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; its cells are Markdown."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for line in lines:
        yield f"| {' | '.join(line)} |"


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def _absence(column: Column, absence: Absence) -> str:
    match absence:
        case Unset(name, IntFlag() as bit):
            return f"`{name}` has no `{bit.name}`"
        case Unset(name, _):
            return f"`{name}` is 0"
        case Equal(name, value):
            return f"`{name}` is `{value.name if isinstance(value, IntEnum) else value}`"
    return "it is empty" if column.dtype.startswith("S") else "it is all 0" if column.shape else "it is 0"


def null_when(table: Table, column: Column) -> str:
    """When a row has no value of a column."""
    reasons = [_absence(column, absence) for absence in column.absent]
    if column.dtype.startswith("datetime64"):
        reasons.append("it is NaT")
    elif column.meaning.startswith("row in"):
        reasons.append("it is below 0")
    if (table.name, column.name) in NULL_WHEN:
        reasons.append(NULL_WHEN[table.name, column.name])
    if table.name in MESSAGES and any(field.name == column.name for field in MESSAGES[table.name].fields):
        text = column.dtype.startswith("S")
        reasons.append("none of its octets is available" if text else "its octets are not all available")
    return escaped("; or ".join(dict.fromkeys(reasons)))


def _names_of(column: Column) -> str:
    """A link to the names of a column's numbers."""
    if column.names is None:
        return ""
    if isinstance(column.names, type):
        name = column.names.__name__
        return f"[{name}](#{name.lower()})" if column.names is not status.Kind else "[Kind](#kinds-of-issue)"
    name = next(name for name, names in ENUMERATIONS.items() if names is column.names)
    return f"[{escaped(name)}](#{name})"


def _meaning(column: Column) -> str:
    link = _names_of(column)
    meaning = escaped(column.meaning)
    if not link:
        return meaning
    name = link.partition("]")[0][1:]
    return meaning.replace(name, link) if name in meaning else f"{meaning} ({link})"


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name}\n"
    kind = "Entity" if table.is_entity else "Event"
    yield f"{kind} table. One row per {escaped(table.one_row_per)}. Order of rows: {escaped(table.order)}.\n"
    yield from rows(
        ("column", "type", "unit", "meaning", "null when", "RFC", "tshark"),
        (
            (
                code(column.name),
                code(column.dtype + (f" x {column.shape[0]}" if column.shape else "")),
                escaped(column.unit),
                _meaning(column),
                null_when(table, column),
                escaped(column.section.replace(" section ", ", ").removeprefix("RFC ")),
                code(column.tshark),
            )
            for column in table.columns
        ),
    )
    if table.derived:
        yield "\nOnly in [frames](frames.md) and [exports](exports.md):\n"
        lines = ((code(column.name), "text", _meaning(column)) for column in table.derived)
        yield from rows(("column", "type", "meaning"), lines)


def meanings(enum: type[IntEnum] | type[IntFlag]) -> dict[str, str]:
    """The comment of each member of an enumeration, by name.

    Raises
    ------
    ValueError
        Where a member has none.
    """
    found: dict[str, str] = {}
    name = ""
    for token in tokenize.generate_tokens(io.StringIO(inspect.getsource(enum)).readline):
        if token.type == tokenize.NAME:
            name = token.string
        elif token.type == tokenize.COMMENT:
            found[name] = token.string.removeprefix("#").strip()
    if missing := [member.name for member in enum if member.name not in found]:
        raise ValueError(f"{enum.__name__} has no meaning for {', '.join(map(str, missing))}")
    return found


def _enum(enum: type[IntEnum] | type[IntFlag]) -> Iterator[str]:
    yield f"### {enum.__name__}\n"
    yield f"{escaped((enum.__doc__ or '').replace('``', '`'))}\n"
    said = meanings(enum)
    is_flag = issubclass(enum, IntFlag)
    numbers = {str(member.name): f"0x{member:04X}" if is_flag else str(int(member)) for member in enum}
    lines = ((number, code(name), escaped(said[name])) for name, number in numbers.items())
    yield from rows(("bit" if is_flag else "number", "name", "meaning"), lines)


def _codes(name: str, names: dict[int, str]) -> Iterator[str]:
    yield f"### {name}\n"
    form = "04X" if name == "ppp_protocol" else "d"
    yield from rows(("number", "name"), ((format(number, form), escaped(text)) for number, text in names.items()))


def _kinds() -> Iterator[str]:
    yield from rows(
        ("number", "kind", "severity", "layer", "`needed`", "`had`", "what to do"),
        (
            (
                str(int(kind)),
                code(kind.name),
                MEANINGS[kind].severity.name,
                ", ".join(layer.name for layer in MEANINGS[kind].layers),
                escaped(MEANINGS[kind].needed),
                escaped(MEANINGS[kind].had),
                escaped(MEANINGS[kind].advice),
            )
            for kind in status.Kind
        ),
    )


def _ppp_codes() -> Iterator[str]:
    yield "### PPP codes\n"
    yield "Codes of `ppp.code`. The codes of a protocol that has none here are those of LCP.\n"
    yield from rows(
        ("protocol", "number", "name"),
        (
            (escaped(ppp.PROTOCOLS[protocol]), str(number), name)
            for protocol, names in {ppp.LCP: ppp.CODES, **ppp.CODES_OF}.items()
            for number, name in names.items()
        ),
    )


def _links() -> Iterator[str]:
    yield "### Link types\n"
    yield "Link types that are read, as `summary.files` has them.\n"
    yield from rows(("number", "name"), ((str(number), code(name)) for number, name in sorted(link.NAMES.items())))


def _lines() -> Iterator[str]:
    yield HEAD
    yield "## All tables\n"
    yield from rows(
        ("table", "kind", "columns", "one row per"),
        (
            (
                f"[{escaped(table.name)}](#{table.name})",
                "entity" if table.is_entity else "event",
                str(len(table.columns)),
                escaped(table.one_row_per),
            )
            for table in TABLES
        ),
    )
    yield "\n## Columns\n"
    for table in TABLES:
        yield from _table(table)
        yield ""
    yield "## Counters of the summary\n"
    yield from rows(
        ("counter", "what it counts"), ((code(name), escaped(text) or name) for name, text in _COUNTERS.items())
    )
    yield ""
    yield "## Kinds of issue\n"
    yield "`issues.kind` has one of these numbers. The columns `needed` and `had` depend on it, and so does its"
    yield "[severity](#severity). Numbers never change.\n"
    yield from _kinds()
    yield "\n## Statuses and numbers\n"
    for enum in ENUMS:
        yield from _enum(enum)
        yield ""
    yield "## Codes on the wire\n"
    yield "The number in a column is the one on the wire. A number that is missing here has no name.\n"
    for name, names in ENUMERATIONS.items():
        yield from _codes(name, names)
        yield ""
    yield from _ppp_codes()
    yield ""
    yield from _links()


def render() -> str:
    """The text of the document."""
    return "\n".join(_lines()).rstrip("\n") + "\n"


def main() -> int:
    """Write the document, or compare it."""
    text = render()
    same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
    if "--check" in sys.argv[1:]:
        if not same:
            print(f"{TARGET.name} is not what wire says: run tools/generate_tables.py", file=sys.stderr)
        return 0 if same else 1
    if not same:
        TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
