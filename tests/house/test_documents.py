"""The decoding rules: each number that is cited exists, links lead somewhere, and worked examples decode to what they show."""

from __future__ import annotations

import importlib.util
import re
import sys
from datetime import datetime
from enum import IntEnum, IntFlag
from itertools import pairwise
from pathlib import Path

import pytest
from places import ROOT

import pptpcap
from pptpcap._show import words
from pptpcap.wire.issues import MEANINGS
from pptpcap.wire.model import Column
from pptpcap.wire.status import Kind, Layer, Severity
from pptpcap.wire.tables import BY_NAME

RULES = ROOT / "docs" / "decoding"
PAGES = sorted(RULES.glob("*.md"))
NUMBER = r"\d+[a-f]?(?:\.\d+)*"
SEVERAL = rf"{NUMBER}(?:(?:, | and | to |, and ){NUMBER})*"


# ---- numbers


def headings(page: Path) -> list[str]:
    return re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)


def numbers_of_rules() -> list[str]:
    """The numbers that stand at the start of headings: "3, 4." are two."""
    starts = (re.match(rf"({NUMBER}(?:, {NUMBER})*)\.? ", heading) for page in PAGES for heading in headings(page))
    return [number for start in starts if start for number in start[1].split(", ")]


def cited(text: str, words_before: str) -> list[str]:
    """Numbers of rules behind some words, such as "decoding sections 8.5 and 8b"."""
    found = re.findall(rf"\b(?:{words_before}) ({SEVERAL})", text)
    return [number for several in found for number in re.findall(NUMBER, several)]


def cited_in_rules(page: Path) -> list[str]:
    """Numbers of rules in a page of the rules: those that its words say, and every number with a point in its prose."""
    prose = re.sub(
        r"^```.*?^```$|RFC \d+ section \S+|802\.11",
        "",
        page.read_text(encoding="utf-8"),
        flags=re.MULTILINE | re.DOTALL,
    )
    return cited(" ".join(prose.split()), "rules?|[Ss]ections?") + re.findall(rf"(?<![\w.])\d+[a-f]?\.{NUMBER}", prose)


# Each rule of the definition; a number is never given to another rule.
NUMBERS = {
    *(f"1.{n}" for n in range(1, 8)),
    *(f"1b.{n}" for n in range(1, 9)),
    *(f"1c.{n}" for n in range(1, 4)),
    *(f"1d.{n}" for n in range(1, 5)),
    *(f"1e.{n}" for n in range(1, 4)),
    *(f"1f.{n}" for n in range(1, 4)),
    "3b",
    *(f"3b.{n}" for n in range(1, 11)),
    *(f"4.{n}" for n in range(1, 8)),
    *"2b 2c 2d 2e".split(),
    "2c",
    *(f"4b.{n}" for n in range(1, 6)),
    *(f"5.{n}" for n in range(1, 5)),
    *(f"6.{n}" for n in range(1, 12)),
    *(f"7.{n}" for n in range(1, 7)),
    *(f"8.{n}" for n in range(1, 8)),
    *(f"8b.{n}" for n in range(1, 7)),
    *(f"10.{n}" for n in range(1, 6)),
    "10.4.1",
    *(f"10.2.{n}" for n in range(1, 6)),
    *(f"10.3.{n}" for n in range(1, 7)),
    *(f"10.5.{n}" for n in range(1, 9)),
    *"1 1b 1c 1d 1e 1f 2 3 4 4b 5 6 7 8 8b 9 10 11".split(),
}


def test_each_rule_has_its_number():
    assert {*numbers_of_rules()} == NUMBERS


def test_rules_that_are_cited_exist():
    count = 0
    for folder in ("src", "tests", "docs", "tools", "."):
        paths = (ROOT / folder).rglob("*") if folder != "." else ROOT.glob("*.md")
        for path in paths:
            if path.suffix not in (".py", ".pyx", ".pxd", ".md") or path == Path(__file__):
                continue
            text = " ".join(path.read_text(encoding="utf-8").split())
            numbers = cited(text, "decoding|decoding sections?")
            for first, last in re.findall(rf"sections? ({NUMBER})(?: to ({NUMBER}))? of ``docs/decoding/``", text):
                numbers += [first, last or first]
            if path.suffix != ".md" and "pptpcap" in path.parts:
                numbers += re.findall(r"\((\d+[a-f]?(?:\.\d+)+)\)", text)
            if path.parent == RULES:
                numbers = cited_in_rules(path)
            for number in numbers:
                assert number in NUMBERS, (path.relative_to(ROOT), number)
                count += 1
    assert count > 100


def test_a_number_that_is_no_rule_is_found():
    assert cited("(decoding 6.6, 6.7, 7.4 and 7.6) of decoding sections 8.5 and 8b; decoding 7.1 to 7.3", "decoding|decoding sections?") == [
        "6.6", "6.7", "7.4", "7.6", "8.5", "8b", "7.1", "7.3",
    ]  # fmt: skip
    assert cited("decoding 6.77", "decoding") == ["6.77"]
    assert "6.77" not in NUMBERS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target.partition("#")[0]).exists(), target
    assert page.name == "README.md" or f"({page.name})" in (RULES / "README.md").read_text(encoding="utf-8")


# ---- examples


def examples(page: Path) -> list[tuple[str, str]]:
    """Each block of octets, and the block of rows that follows it."""
    blocks = re.findall(r"^```(octets|rows)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    kinds = [kind for kind, _ in blocks]
    assert kinds == ["octets", "rows"] * (len(blocks) // 2), page.name
    return [(octets, rows) for (_, octets), (_, rows) in [*pairwise(blocks)][::2]]


EXAMPLES = [
    pytest.param(octets, rows, id=f"{page.stem}-{index}")
    for page in PAGES
    for index, (octets, rows) in enumerate(examples(page))
]


def decoded(octets: str) -> bytes:
    return bytes.fromhex("".join(line.partition("#")[0] for line in octets.splitlines()))


def shown(column: Column, value) -> str:
    """A value as the pages write it."""
    if column.shape:
        return words.address(value)
    if column.dtype.startswith("datetime64"):
        return words.instant(value).replace("-", "NaT") if words.instant(value) == "-" else words.instant(value)
    if column.dtype.startswith("S"):
        return words.quote(bytes(value))
    if isinstance(column.names, type) and issubclass(column.names, IntFlag):
        return " | ".join(words.flags(int(value), column.names)) or "0"
    if isinstance(column.names, type) and issubclass(column.names, IntEnum):
        return column.names(int(value)).name
    return str(int(value)) if column.dtype != "bool" else str(bool(value)).lower()


def as_shown(text: str) -> str:
    return str(int(text, 16)) if text.startswith("0x") else text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_page_has_an_example(page):
    assert examples(page)


@pytest.mark.parametrize(("octets", "rows"), EXAMPLES)
def test_examples_decode_to_what_they_show(octets, rows, engine):
    capture = pptpcap.read(decoded(octets), engine=engine)
    for line in rows.splitlines():
        place, _, said = line.partition(": ")
        table, _, row = place.partition(" ")
        if not row and table != "summary":
            assert said.split()[0] == str(len(capture[table])), line
            continue
        for pair in said.split(", "):
            name, _, value = pair.partition(" = ")
            if table == "summary":
                found = str(capture.summary.counters[name])
            else:
                column = next(column for column in BY_NAME[table].columns if column.name == name)
                found = shown(column, capture[table][int(row)][name])
            assert found == as_shown(value), (line, name)


def test_examples_say_when():
    """The time that the examples say is the one that their octets hold."""
    seconds = int.from_bytes(bytes.fromhex("c0095e5f"), "little")
    assert datetime.fromisoformat("2020-09-13 12:00:00+00:00").timestamp() == seconds


# ---- words


def _tool(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


PROSE = _tool("prose")
TABLES = _tool("generate_tables")


def test_documents_have_no_long_paragraph_or_sentence():
    for path in PROSE.files(PROSE.DOCUMENTS):
        assert [*PROSE.complaints(path.read_text(encoding="utf-8"))] == [], path.name


def test_what_is_too_long_is_found():
    words = "word " * 44
    assert [*PROSE.complaints(f"{words}end.")] == []
    assert [*PROSE.complaints(f"# Title\n\n{words}\nand end.")] == [
        f"3: a sentence of 46 words, at most 45: {' '.join(words.split())} and end."
    ]
    lines = "Word. " * 160
    assert [*PROSE.complaints(lines)] == []
    assert [*PROSE.complaints(f"{lines}\nWords.")] == ["1: a paragraph of 9 lines, at most 8"]
    # code, items and cells count by themselves
    assert [*PROSE.complaints(f"```\n{lines * 2}\n```\n")] == []
    assert [*PROSE.complaints(f"* {lines}\n* {lines}\n1. {lines}\n")] == []
    assert [*PROSE.complaints(f"| {words} | {words} |\n|---|---|\n")] == []
    assert len([*PROSE.complaints(f"| a | {words}, two |\n")]) == 1
    with pytest.raises(ValueError, match=r"there is no document docs/nowhere\.md"):
        PROSE.files(("docs/nowhere.md",))


def test_tables_are_as_wire_says():
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == TABLES.render()
    assert set(MEANINGS) == set(Kind)


def test_severities_are_as_issues_say():
    of = {severity: {kind for kind in Kind if MEANINGS[kind].severity is severity} for severity in Severity}
    # Of the file itself, and at a cap that does not show that the file or the sender is wrong.
    assert all(MEANINGS[kind].layers == (Layer.CONTAINER,) for kind in of[Severity.DAMAGE])
    capped = {kind for kind in Kind if "the cap" in MEANINGS[kind].needed}
    assert of[Severity.LIMIT] == capped - {Kind.CORRUPT_RECORD, Kind.FRAGMENT_TOO_LONG}
    lost = {Kind.FRAME_CUT, Kind.HEADER_CUT, Kind.FRAGMENT_INCOMPLETE, Kind.GAP, Kind.MESSAGE_CUT}
    assert of[Severity.LOSS] == lost
    assert of[Severity.NOTE] >= {Kind.CLOCK_BACK, Kind.CLOCK_STANDS, Kind.SHARED_ID, Kind.UNKNOWN_CALL}


def test_links_inside_the_tables_lead_to_headings():
    text = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(links) > 50
    assert {*links} <= anchors


class Half(IntEnum):
    """A list of numbers that is not finished."""

    TOLD = 1  # what it means
    UNTOLD = 2


def test_a_member_without_a_meaning_is_found():
    with pytest.raises(ValueError, match="Half has no meaning for UNTOLD"):
        TABLES.meanings(Half)


def test_cells_are_escaped():
    assert TABLES.escaped("a|b *c* `d_e|f` <g> [h]_i") == r"a\|b \*c\* `d_e\|f` \<g\> \[h\]\_i"
