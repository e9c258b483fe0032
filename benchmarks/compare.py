"""Measures an older revision beside a newer one, in one run: ``python benchmarks/compare.py REVISION [REVISION]``.

With ``--captures FOLDER`` nothing is measured: the tables of every file there are compared, of both engines.

Knows git's worktrees and how the compiled engine is built; both revisions are measured by this revision's benchmarks.
No time is printed where tables differ that have the same columns, unless that is asked for.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import generate
from generate import MIB, Parameters
from measuring import answers, command, machine, tables
from measuring.figures import Workload
from measuring.turns import Entrant, say, take_turns
from measuring.worker import Worker, WorkerError

ROOT = Path(__file__).resolve().parent.parent
HERE = "what is here"
WORKLOADS = ("haystack", "tunnel", "control")
SIZE = 64
_BUILD = """
import runpy, sys
sys.path.remove(sys.argv[1])
sys.argv = ["setup.py", "--quiet", "build_ext", "--inplace"]
runpy.run_path("setup.py", run_name="__main__")
"""


@contextmanager
def built(revision: str) -> Iterator[tuple[str, Path]]:
    """A revision's short name, and the folder of its sources with the engine built in it; both go with the block."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", f"{revision}^{{commit}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"{revision} is no revision of this repository")
    name = done.stdout.strip()
    with tempfile.TemporaryDirectory(prefix="pptpcap-compare-") as folder:
        tree = Path(folder) / name
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), name], check=True)
        try:
            say(f"{name}: build")
            # Flags for a debug or a strict build are meant for what is here.
            environment = {key: value for key, value in os.environ.items() if not key.startswith("PPTPCAP_")}
            # What is installed here must not be found where the revision cimports.
            build = [sys.executable, "-c", _BUILD, str(ROOT / "src")]
            subprocess.run(build, cwd=tree, env=environment, check=True, stdout=sys.stderr)
            yield name, tree / "src"
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def differences(old: dict[str, list[object]], new: dict[str, list[object]]) -> tuple[list[str], list[str]]:
    """What differs though it should not, and what cannot be compared, from the rows, columns, digests of tables.

    Tables whose columns changed are compared by their number of rows.
    """
    wrong, changed = [], []
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            changed.append(f"{name} is only in the {'new' if name in new else 'old'} one")
            continue
        (old_rows, old_columns, old_digest), (new_rows, new_columns, new_digest) = old[name], new[name]
        if old_rows != new_rows:
            wrong.append(f"{name} has {old_rows} rows, then {new_rows}")
        elif old_columns != new_columns:
            changed.append(f"{name} has other columns: only its {new_rows} rows were counted")
        elif old_digest != new_digest:
            wrong.append(f"{name} has other values")
    return wrong, changed


def measured(
    name: str, revisions: Sequence[tuple[str, Path]], threads: int, size: float, rounds: int, seed: int, lenient: bool
) -> Workload:
    """Two revisions, the older one first, on a capture in turns, after their tables were compared."""
    path, promise = generate.kept(Parameters(name, int(size * MIB), seed))
    subject = ("engine", "compiled", threads)
    with ExitStack() as stack:
        say(f"{name}: compare tables")
        found = []
        for _, source in revisions:
            with Worker(*subject, source=source) as worker:
                found.append(worker.tables(path))
        wrong, changed = differences(*found)
        if wrong and not lenient:
            raise answers.WrongAnswerError(f"{name}: {'; '.join(wrong)}")
        (old, _), (new, _) = revisions
        workload = Workload(name, pairs=[(new, old)], remarks=[*wrong, *changed])
        expected = answers.promised(promise)
        # What the older one counted otherwise was told above.
        entrants = [
            Entrant(one, stack.enter_context(Worker(*subject, source=source)), path, expected, may_differ=one == old)
            for one, source in revisions
        ]
        take_turns(workload, entrants, rounds)
    return workload


def _answer(worker: Worker, path: Path) -> dict[str, list[object]] | str:
    """The tables of a capture, or why it is refused."""
    try:
        return worker.tables(path)
    except WorkerError as error:
        return str(error)


def same_rows(revisions: Sequence[tuple[str, Path]], folders: Sequence[Path]) -> int:
    """Compare the tables of every file in the folders, of both engines; print what differs, and how many were alike."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    alike = refused = wrong = 0
    for engine in ("compiled", "reference"):
        with ExitStack() as stack:
            old, new = (stack.enter_context(Worker("engine", engine, 1, source=source)) for _, source in revisions)
            for path in paths:
                before, after = _answer(old, path), _answer(new, path)
                if isinstance(before, str) or isinstance(after, str):
                    found = [] if before == after else [f"{before}, then {after}"]
                    refused += not found
                else:
                    found = [one for several in differences(before, after) for one in several]
                    alike += not found
                wrong += bool(found)
                for one in found:
                    print(f"{engine}: {path}: {one}")
    print(f"{len(paths)} files, two engines: {alike} with the same rows, {refused} refused alike, {wrong} different")
    return 1 if wrong else 0


def main(given_arguments: list[str] | None = None) -> int:
    """Command line; the exit code comes back."""
    parser = argparse.ArgumentParser(description="Measure an older revision beside a newer one.")
    parser.add_argument("old", metavar="REVISION", help="the older one")
    parser.add_argument("new", metavar="REVISION", nargs="?", help=f"the newer one ({HERE}, as it is built)")
    parser.add_argument("--workload", action="append", choices=generate.WORKLOADS, help="may be given again")
    parser.add_argument("--size", type=float, default=SIZE, metavar="MIB", help=f"of each capture ({SIZE})")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of both (1)")
    parser.add_argument("--different", action="store_true", help="print times even where tables differ")
    parser.add_argument("--captures", action="append", type=Path, metavar="FOLDER", help="compare its files")
    options = command.arguments(parser, given_arguments)
    facts = machine.facts()

    def measure() -> list[Workload] | int:
        with ExitStack() as stack:
            old = stack.enter_context(built(options.old))
            new = stack.enter_context(built(options.new)) if options.new else (HERE, ROOT / "src")
            if old[0] == new[0]:
                # The same revision twice tells how far apart equal things are measured here.
                new = (f"{new[0]} again", new[1])
            if options.captures:
                return same_rows((old, new), options.captures)
            return [
                measured(
                    name, (old, new), options.threads, options.size, options.repeat, options.seed, options.different
                )
                for name in options.workload or WORKLOADS
            ]

    workloads = command.attempt(measure)
    if isinstance(workloads, int):
        return workloads
    print(tables.report(workloads, [], facts, options.repeat))
    return 0


if __name__ == "__main__":
    sys.exit(main())
