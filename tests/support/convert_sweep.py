"""A fault in each call for files that a small ``convert`` makes, and what stands in the folder then; Linux only.

Knows what may stand there, and not how that is brought about.  Run as a program for all of them: ``python
tests/support/convert_sweep.py [--every N]``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from commands import ALL15, MSS88
from faults import Fault, Forks, Run

PART = ".pptpcap.part"
FORMATS = ("csv", "npy", "parquet")
SETUPS = ("new", "overwrite", "hours")
# What happens, to how many calls in a row, 0 for all that follow.
KINDS = {
    "fails": ("EIO", 1),
    "disk full": ("ENOSPC", 1),
    "interrupted call": ("EINTR", 1),
    "all fail from there": ("EIO", 0),
    "half of it": ("short", 1),
    "Ctrl-C": ("SIGINT", 1),
    "Ctrl-C twice": ("SIGINT", 2),
    "killed": ("SIGKILL", 1),
}
MODULES = ("pyarrow.parquet", "pptpcap.export.api")


class Sweep:
    """Runs of one command with one fault each; what they leave is compared with what there was, and what there is to be.

    Parameters
    ----------
    forks : Forks
        Runs the command.
    top : Path
        A folder for all of this.
    format_name : str
        Of the tables.
    setup : str
        "new", into a folder that is not there, "overwrite", over a conversion of another capture, or "hours", over files of
        an hour with files of another.
    """

    def __init__(self, forks: Forks, top: Path, format_name: str, setup: str) -> None:
        self._forks = forks
        # The capture and somebody's files lie beside the folder that is written.
        self._top, self._out, self._before = top, top / "under" / "out", top / "before"
        (top / "under").mkdir(parents=True)
        shutil.copy(MSS88, top / "in.pcap")
        options = ["--format", format_name, "--table", "gre"]
        options += ["--partition", "hour"] if setup == "hours" else []
        self._plain = ["convert", "-o", self._out, *options, "--table", "ppp", top / "in.pcap"]
        self._command = self._plain if setup == "new" else [*self._plain, "--overwrite"]
        if setup != "new":
            assert forks.run(["convert", "-o", self._before, *options, "--table", "calls", ALL15]).code == 0
            (self._before / "notes.txt").write_bytes(b"mine")
        self._old = octets_of(self._before)
        self._restore()
        # The first run of a process imports more.
        whole = self._run(Fault())
        assert (whole.code, whole.err) == (0, "")
        self.calls, self._said, self._new = whole.calls, whole.out, octets_of(self._out)
        self._beside = self._files_beside()

    def _files_beside(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self._top.iterdir() if path.is_file()}

    def _restore(self) -> None:
        shutil.rmtree(self._top / "under")
        (self._top / "under").mkdir()
        if self._before.exists():
            shutil.copytree(self._before, self._out)

    def _run(self, fault: Fault) -> Run:
        return self._forks.run(self._command, self._top / "under", fault)

    def numbers(self, kind: str) -> list[int]:
        """Calls that a kind of fault may come to; of those that look for each of 117 names, some."""
        names = ("read", "write") if kind == "half of it" else ()
        looks = 0
        numbers = []
        for number, call in enumerate(self.calls, 1):
            looks += call.name == "fstatat"
            if (call.name == "fstatat" and looks % 19) or (names and call.name not in names):
                continue
            numbers.append(number)
        return numbers

    def outcome(self, kind: str, number: int) -> str:
        """What a fault in one call leads to; an AssertionError where that is not allowed."""
        what, times = KINDS[kind]
        self._restore()
        run = self._run(Fault(what, number, times))
        assert len(run.calls) >= number
        stands = self._stands()
        assert self._files_beside() == self._beside
        where = f"{kind}, call {number} ({' '.join(self.calls[number - 1])}): {stands}, {run.code}, {run.err!r}"
        assert "Traceback" not in run.err, where
        left = (self._out / PART).exists()
        assert (what == "SIGINT") == (run.code == 130), where
        if run.code == 0:
            assert (stands, left, run.out, run.err) == ("new", False, self._said, ""), where
        elif run.code == 1:
            assert run.err.startswith("pptpcap: ") and run.err.count("\n") == 1, where
            assert (stands == "new") == ("the tables are all in place" in run.err), where
            assert (stands == "unfinished") <= ("is unfinished until the next run" in run.err), where
            # One fault can be taken back from.
            assert stands != "unfinished" or times == 0, where
        elif run.code == 130:
            assert run.out == "" and run.err.count("\n") <= 1, where
            assert stands != "unfinished" or times > 1, where
        else:
            assert (what, run.code, run.out, run.err) == ("SIGKILL", -9, "", ""), where
        self._mend(stands, where)
        return f"{stands:<10}  exit {run.code:>3}{', a part is left' if left else ''}"

    def _stands(self) -> str:
        """Which of the states is there, whatever is in the part."""
        octets = octets_of(self._out)
        if octets in (self._old, self._new):
            return "as before" if octets == self._old else "new"
        # Every file is an old or a new one, and what is nobody's is as it was.
        assert json.loads(octets.pop("capture.json"))["finished"] is False
        assert {name: of for name, of in self._old.items() if name.endswith(".txt")}.items() <= octets.items()
        assert all(of in (self._old.get(name), self._new.get(name)) for name, of in octets.items())
        return "unfinished"

    def _mend(self, stands: str, where: str) -> None:
        """The next plain run makes all as if nothing had happened, but that it does not overwrite what is whole."""
        run = self._forks.run(self._plain)
        if stands == "as before" and self._old:
            assert run.code == 1 and "is not to be overwritten" in run.err, (where, run)
            assert octets_of(self._out) == self._old and not (self._out / PART).exists(), where
            run = self._forks.run(self._command)
        assert (run.code, run.err) == (0, ""), (where, run)
        assert ("converted before" in run.out) == (stands == "new"), where
        assert octets_of(self._out) == self._new and not (self._out / PART).exists(), where
        assert self._files_beside() == self._beside, where


def octets_of(folder: Path) -> dict[str, bytes]:
    """The files of a folder and of those in it, but for the part."""
    paths = [path for path in folder.rglob("*") if path.is_file() and PART not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def table(told: Counter[tuple[str, str, str, str]]) -> Iterator[str]:
    """Lines of formats, faults and outcomes, with the number of calls."""
    yield f"{'calls':>5}  {'format':<8} {'folder':<10} {'fault':<20} outcome"
    for (format_name, setup, kind, outcome), count in told.items():
        yield f"{count:>5}  {format_name:<8} {setup:<10} {kind:<20} {outcome}"


def main() -> None:
    """Sweep over all calls, and print the table."""
    parser = argparse.ArgumentParser(description="A fault in each call for files that a small convert makes.")
    parser.add_argument("--every", type=int, default=1, help="only each Nth call")
    every = parser.parse_args().every
    told: Counter[tuple[str, str, str, str]] = Counter()
    names: Counter[str] = Counter()
    with Forks(*MODULES) as forks, tempfile.TemporaryDirectory() as folder:
        for format_name in FORMATS:
            for setup in SETUPS:
                sweep = Sweep(forks, Path(folder).resolve() / format_name / setup, format_name, setup)
                names.update(call.name for call in sweep.calls)
                for kind in KINDS:
                    for number in sweep.numbers(kind)[::every]:
                        told[format_name, setup, kind, sweep.outcome(kind, number)] += 1
                    print(f"{format_name} {setup} {kind}", file=sys.stderr)
    print("\n".join(table(told)))
    print(f"{sum(told.values())} faults in calls of {', '.join(sorted(names))}")


if __name__ == "__main__":
    main()
