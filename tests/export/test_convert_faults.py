"""``convert`` when the system fails it at any call, and in which order it brings files to the disk; Linux only.

Some calls for each format, folder and kind of fault; ``python tests/support/convert_sweep.py`` tries all of them.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections import Counter

import pytest
from commands import ALL15, MSS88
from convert_sweep import FORMATS, KINDS, MODULES, SETUPS, Sweep, octets_of, table
from faults import Fault, Forks, is_possible, run

from pptpcap.export import convert

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_possible(), reason="needs Linux of 64 bits and a C compiler")]

PART = ".pptpcap.part"
# Each so many calls, from another one on in each combination, of which there are as many.
EVERY = len(FORMATS) * len(SETUPS) * len(KINDS)


@pytest.fixture(scope="module")
def forks():
    with Forks(*MODULES) as started:
        yield started


def test_a_fault_in_each_call(forks, tmp_path):
    """With -s the table of faults and outcomes."""
    told: Counter[tuple[str, str, str, str]] = Counter()
    for number, (format_name, setup) in enumerate(itertools.product(FORMATS, SETUPS)):
        sweep = Sweep(forks, tmp_path.resolve() / format_name / setup, format_name, setup)
        for more, kind in enumerate(KINDS):
            numbers = sweep.numbers(kind)
            for call in numbers[(number * len(KINDS) + more) % len(numbers) :: EVERY]:
                told[format_name, setup, kind, sweep.outcome(kind, call)] += 1
    print(*table(told), sep="\n")
    outcomes = {(kind, outcome.split()[0]) for _, _, kind, outcome in told}
    assert {kind for kind, _ in outcomes} == set(KINDS)
    assert {
        ("killed", "unfinished"),
        ("killed", "as"),
        ("killed", "new"),
        ("fails", "as"),
        ("Ctrl-C", "as"),
    } <= outcomes


# ---- which fault is told how


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    convert(ALL15, folder, format="csv", tables=["gre", "calls"])
    return folder


def faulty(forks, out, *fault):
    """The outcome of replacing two tables by one, where the calls of one function are numbered."""
    arguments = ["convert", "-o", out, "--format", "csv", "--table", "gre", "--overwrite", MSS88]
    return forks.run(arguments, out.parent, Fault(*fault))


# Behind the table, the views and both states, the folder is synced three times.  Six files are moved: a state, the old
# views and table, the new ones, and a state.
@pytest.mark.parametrize(
    ("fault", "told", "stands"),
    [
        (("ENOSPC", 1, 1, "write"), "gre.csv: No space left on device", "before"),
        (("EIO", 1, 1, "fsync"), "Input/output error", "before"),
        (("EIO", 5, 1, "fsync"), "Input/output error; all is as it was before", "before"),
        (("EIO", 6, 1, "fsync"), "Input/output error; all is as it was before", "before"),
        (("EIO", 7, 1, "fsync"), "Input/output error; the tables are all in place, but may be lost", "new"),
        (("EACCES", 1, 1, "renameat"), "capture.json: Permission denied; all is as it was before", "before"),
        (("EACCES", 4, 1, "renameat"), "gre.csv: Permission denied; all is as it was before", "before"),
        (("EACCES", 5, 1, "renameat"), "capture.sql: Permission denied; all is as it was before", "before"),
        (("EACCES", 6, 1, "renameat"), "capture.json: Permission denied; all is as it was before", "before"),
        (("EACCES", 4, 0, "renameat"), "(Permission denied), so {} is unfinished until the next run", "unfinished"),
        (("EIO", 1, 1, "unlinkat"), "Input/output error; the tables are all in place", "new"),
        (("ENOLCK", 1, 1, "flock"), "lock: No locks available", "before, with a part"),
    ],
)
def test_what_is_told(forks, out, fault, told, stands):
    before = octets_of(out)
    done = faulty(forks, out, *fault)
    assert (done.code, done.out) == (1, "") and done.err.count("\n") == 1
    assert f"pptpcap: {out}" in done.err and told.format(out) in done.err, done.err
    if stands.startswith("before"):
        assert octets_of(out) == before and (out / PART).exists() == stands.endswith("part")
    elif stands == "new":
        assert convert(MSS88, out, format="csv", tables=["gre"]).again
    else:
        assert not convert(MSS88, out, format="csv", tables=["gre"]).again


def test_a_second_name_that_the_file_system_does_not_give(forks, out):
    """The old state is copied instead, and comes back from there."""
    before = octets_of(out)
    assert faulty(forks, out, "EPERM", 1, 0, "linkat").code == 0
    convert(ALL15, out, format="csv", tables=["gre", "calls"], overwrite=True)
    assert octets_of(out) == before
    # The second move fails, so that the first is taken back.
    done = faulty(forks, out, "EPERM", 3, 1, "renameat linkat")
    assert done.code == 1 and "all is as it was before" in done.err
    assert octets_of(out) == before
    # All fail from there, so the first is not, and there is nothing to be taken back.
    done = faulty(forks, out, "EPERM", 1, 0, "renameat linkat")
    assert done.code == 1 and "all is as it was before" in done.err
    assert octets_of(out) == before


def test_folders_that_cannot_be_synced(forks, out):
    """No file system needs to; of files it is an error."""
    assert faulty(forks, out, "EINVAL", 5, 0, "fsync").code == 0
    convert(ALL15, out, format="csv", tables=["gre", "calls"], overwrite=True)
    assert faulty(forks, out, "EINVAL", 1, 1, "fsync").code == 1


# ---- on the disk before it is told


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_order_in_which_files_come_to_the_disk(tmp_path, overwrite):
    """Each file before it gets its name, each state before what depends on it, and all before the command says so."""
    top = tmp_path.resolve()
    out, part = f"{top}/a/out", f"{top}/a/out/{PART}"
    if overwrite:
        convert(MSS88, out, format="npy", tables=["gre", "calls"])
    arguments = ["--only", "--format", "csv", "--table", "gre", "--table", "ppp", "-o", out, str(MSS88)]
    with open(top / "said", "w") as said:
        command = [sys.executable, "-m", "pptpcap", "convert", *arguments]
        calls = run(command, top, stdout=said).calls
    assert (top / "said").read_text().count("\n") == 3

    def places(name, path):
        return [place for place, call in enumerate(calls) if call == (name, path)]

    moves = [place for place, call in enumerate(calls) if call.name == "renameat"]
    targets = [os.path.relpath(calls[place].path, out) for place in moves]
    olds = [f"{PART}/old.calls.npy", f"{PART}/old.gre.npy"] if overwrite else []
    assert targets == ["capture.json", *olds, "gre.csv", "ppp.csv", "capture.sql", "capture.json"]
    for name in ("gre.csv", "ppp.csv", "capture.sql", "capture.json", "unfinished.json"):
        written, synced = places("write", f"{part}/{name}"), places("fsync", f"{part}/{name}")
        assert len(synced) == 1 and max(written) < synced[0] < moves[0]
    for place, following in (
        (moves[0], moves[1]),
        (moves[-2], moves[-1]),
        (moves[-1], places("write", f"{top}/said")[0]),
    ):
        assert any(place < synced < following for synced in places("fsync", out))
    # Folders that were made: their names are in those above.
    for above in [] if overwrite else [f"{top}/a", str(top)]:
        assert places("fsync", above)[0] < places("write", f"{top}/said")[0]
    removed = [place for name in ("old.gre.npy", "old.calls.npy") for place in places("unlinkat", f"{part}/{name}")]
    assert len(removed) == len(olds) and all(place > places("fsync", out)[-1] for place in removed)
