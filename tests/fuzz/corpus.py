"""Inputs that are kept: those that reach what no other does, and those that once failed, in one zip file.

Knows the file, and the forms that inputs have; ``bare`` and ``guided`` know what the forms mean.  Every harness begins from
what is kept, and ``tests/laws/test_corpus.py`` puts it through both engines.  ``make corpus`` gathers anew; ``corpus.py add``
keeps a file.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from oracles.inputs import input_of as stream_of

from fuzz import bare, guided

KEPT = Path(__file__).resolve().parent.parent / "corpus" / "kept.zip"
# An input is a file, or stands in the form of the search without the interpreter.
FILE, BARE = "file", "bare"
FORMS = (FILE, BARE)
REACHED = "reached what no other input does"
# So many inputs of the TCP oracle take part when inputs are gathered.
STREAMS = 500
# In a zip file, the least time there is: the same inputs make the same file.
NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Kept:
    """An input, its form, and why it is kept."""

    form: str
    reason: str
    data: bytes

    @property
    def name(self) -> str:
        return f"{self.form}/{hashlib.sha256(self.data).hexdigest()[:16]}"

    @property
    def capture(self) -> bytes:
        """The file that it stands for."""
        return self.data if self.form == FILE else bare.capture_of(self.data.ljust(2, b"\0"))


@cache
def kept(path: Path = KEPT) -> tuple[Kept, ...]:
    """All that is kept, in the order of names."""
    with zipfile.ZipFile(path) as archive:
        return tuple(
            Kept(entry.filename.partition("/")[0], entry.comment.decode(), archive.read(entry))
            for entry in archive.infolist()
        )


def write(inputs: list[Kept], path: Path = KEPT) -> None:
    """Put the inputs into the zip file, each once, instead of what it held."""
    by_name = {each.name: each for each in inputs}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, each in sorted(by_name.items()):
            entry = zipfile.ZipInfo(name, NO_TIME)
            entry.comment = each.reason.encode()
            archive.writestr(entry, each.data, zipfile.ZIP_DEFLATED, 9)
    kept.cache_clear()


def add(paths: list[Path], form: str, reason: str, path: Path = KEPT) -> None:
    """Keep files for a reason, beside what is kept."""
    write([*kept(path), *(Kept(form, reason, each.read_bytes()) for each in paths)], path)


def bare_form(target: str, data: bytes) -> bytes:
    """An input of a guided target in the form of the search without the interpreter."""
    if target in ("frames", "calls"):
        return bytes([bare.FRAMES if target == "frames" else bare.CALLS]) + data
    capture = guided.TARGETS[target](data)
    if capture[:4] == b"\x0a\x0d\x0d\x0a":
        return bytes([bare.BLOCKS, capture[8:9] == b"\x1a"]) + capture
    return bytes([bare.RECORDS, bare.record_form(capture)]) + capture[24:]


def unpack(target: str, folder: Path) -> None:
    """Write what is kept where a search begins, in the form of its target: ``bare``, or one of the guided ones."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in kept():
        what = each.data[0] & 3 if each.form == BARE else -1
        data = None
        if target == BARE:
            data = each.data if each.form == BARE else bare_form("containers", each.data)
        elif target == "containers":
            data = each.capture
        elif what == {"frames": bare.FRAMES, "calls": bare.CALLS}.get(target):
            data = each.data[1:]
        if data:
            (folder / each.name.replace("/", "-")).write_bytes(data)


def gather(program: Path, folder: Path, path: Path = KEPT) -> None:
    """Of what the searches found in `folder` and what is kept, keep the fewest that reach as much; all files stay."""
    with tempfile.TemporaryDirectory() as place:
        least, every = Path(place, "least"), Path(place, "every")
        least.mkdir()
        unpack(BARE, every)
        for target in guided.TARGETS:
            for number, found in enumerate(sorted((folder / target).glob("*"))):
                (every / f"{target}-{number}").write_bytes(bare_form(target, found.read_bytes()))
        for number in range(STREAMS):
            (every / f"stream-{number}").write_bytes(bare_form("containers", stream_of(1, number)))
        command: list[str | Path] = [program, "-set_cover_merge=1", "-max_len=8192", "-rss_limit_mb=2048", least, every]
        subprocess.run([*command, *(each for each in [folder / BARE] if each.is_dir())], check=True)
        reached = [Kept(BARE, REACHED, each.read_bytes()) for each in sorted(least.iterdir())]
    write([*(each for each in kept(path) if each.form == FILE or each.reason != REACHED), *reached], path)


def main(arguments: list[str] | None = None) -> None:
    """List, add, unpack or gather."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="name, octets and reason of each")
    adding = commands.add_parser("add", help="keep files")
    adding.add_argument("form", choices=FORMS)
    adding.add_argument("reason")
    adding.add_argument("paths", type=Path, nargs="+")
    unpacking = commands.add_parser("unpack", help="write what is kept for a search")
    unpacking.add_argument("target", choices=(BARE, *guided.TARGETS))
    unpacking.add_argument("folder", type=Path)
    gathering = commands.add_parser("gather", help="keep what the searches found; needs the programs of make fuzz-bare")
    gathering.add_argument("program", type=Path)
    gathering.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    if options.command == "add":
        add(options.paths, options.form, options.reason)
    elif options.command == "unpack":
        unpack(options.target, options.folder)
    elif options.command == "gather":
        gather(options.program, options.folder)
    for each in kept() if options.command == "list" else ():
        print(f"{each.name} {len(each.data):6} {each.reason}")
    print(f"corpus: {len(kept())} inputs, {KEPT.stat().st_size} octets")


if __name__ == "__main__":
    main()
