"""How long the sentences and paragraphs of the documents are: what is too long to be read once.

Knows Markdown as far as it must: code is no prose, and each item of a list and each cell of a table counts by itself.
Run by ``make check``; ``--all`` prints every document, and not only those that must be in order.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent

# A paragraph has at most so many lines of so many characters, a sentence so many words.
LINES = 8
WIDTH = 120
WORDS = 45

DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/**/*.md")
# Documents that must keep the limits.
ENFORCED = ("docs/decoding/*.md", "docs/tables.md")


class Paragraph(NamedTuple):
    """A paragraph, an item of a list, or a cell of a table."""

    line: int
    text: str

    @property
    def lines(self) -> int:
        """Lines that it takes at the width."""
        return -(-len(self.text) // WIDTH)

    @property
    def sentences(self) -> list[str]:
        """What ends with a point, a question or an exclamation mark; code is one word, the target of a link none."""
        text = re.sub(r"`[^`]*`", "code", self.text)
        text = re.sub(r"\]\([^)]*\)", "]", text)
        return re.split(r"(?<=[.!?])\s+", text)


def paragraphs(text: str) -> Iterator[Paragraph]:
    """What a document says, without its code."""
    found: list[str] = []
    start = 0
    in_code = False

    def take() -> Iterator[Paragraph]:
        if found:
            yield Paragraph(start, " ".join(found))
            found.clear()

    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("```"):
            in_code = not in_code
            yield from take()
        elif in_code:
            continue
        elif stripped.startswith("|"):
            yield from take()
            cells = (cell.strip() for cell in re.split(r"(?<!\\)\|", stripped.strip("|")))
            yield from (Paragraph(number, cell) for cell in cells if cell.strip(":- "))
        elif not stripped or stripped.startswith(("#", "<!--")):
            yield from take()
        else:
            item = re.match(r"(?:[*+-]|\d+\.)\s+(.*)", stripped)
            if item:
                yield from take()
            if not found:
                start = number
            found.append(item[1] if item else stripped)
    yield from take()


class Longest(NamedTuple):
    """The longest paragraph and the longest sentence of a document."""

    paragraph: Paragraph
    sentence: str
    line: int

    @property
    def words(self) -> int:
        """Words of the sentence."""
        return len(self.sentence.split())


def longest(text: str) -> Longest | None:
    """The longest paragraph and sentence of a document, None where it says nothing."""
    every = list(paragraphs(text))
    if not every:
        return None
    sentences = [(sentence, paragraph.line) for paragraph in every for sentence in paragraph.sentences]
    sentence, line = max(sentences, key=lambda pair: len(pair[0].split()))
    return Longest(max(every, key=lambda paragraph: len(paragraph.text)), sentence, line)


def complaints(text: str) -> Iterator[str]:
    """What is too long in a document, each with its line."""
    for paragraph in paragraphs(text):
        if paragraph.lines > LINES:
            yield f"{paragraph.line}: a paragraph of {paragraph.lines} lines, at most {LINES}"
        for sentence in paragraph.sentences:
            if len(sentence.split()) > WORDS:
                yield f"{paragraph.line}: a sentence of {len(sentence.split())} words, at most {WORDS}: {sentence}"


def files(patterns: tuple[str, ...]) -> list[Path]:
    """Documents that match, each once.

    Raises
    ------
    ValueError
        Where a pattern matches none.
    """
    found = {pattern: sorted(ROOT.glob(pattern)) for pattern in patterns}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        raise ValueError(f"there is no document {', '.join(missing)}")
    return sorted({path for paths in found.values() for path in paths})


def main() -> int:
    """Print the longest sentence and paragraph of each document, 1 where one that must be in order is not."""
    enforced = set(files(ENFORCED))
    bad = 0
    for path in files(DOCUMENTS) if "--all" in sys.argv[1:] else sorted(enforced):
        text = path.read_text(encoding="utf-8")
        found = longest(text)
        if found is None:
            continue
        name = path.relative_to(ROOT)
        paragraph = found.paragraph
        sizes = f"sentence {found.words} words (line {found.line}), paragraph {paragraph.lines} lines"
        print(f"{name}: {sizes} (line {paragraph.line})")
        for complaint in complaints(text) if path in enforced else ():
            print(f"{name}:{complaint}", file=sys.stderr)
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
