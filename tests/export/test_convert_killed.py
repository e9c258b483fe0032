"""A conversion that is killed, fails late or is interrupted, and what the next one makes of it.

The same at each call of the system, where the shim can be built: ``test_convert_faults``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from commands import ALL15, COMMAND, MSS88, call, shell
from test_convert_folder import state

from pptpcap.export import convert

pytestmark = pytest.mark.slow

PART = ".pptpcap.part"
# capture.json twice; 23 tables are moved away, and as many put in their places.
MOVES = 48

KILLED = """
import os, sys
from pptpcap.export import convert
count, replace = 0, os.replace
def killing(*arguments, **more):
    global count
    count += 1
    if count == int(sys.argv[3]):
        os._exit(9)
    if count == int(sys.argv[4]):
        raise OSError(5, "the disk is gone")
    replace(*arguments, **more)
os.replace = killing
convert(sys.argv[1], sys.argv[2], format="npy", overwrite=True)
"""


def killed(source, out, at: int, failed: int = 0) -> None:
    """Convert until a file is to be moved; before, moving one may fail, so that what was moved is moved back."""
    run = subprocess.run([sys.executable, "-c", KILLED, source, out, str(at), str(failed)], check=False, timeout=60)
    assert run.returncode == 9


def tables(out):
    return {path.name: path.read_bytes() for path in out.iterdir() if path.name != PART}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results of two captures."""
    folder = tmp_path_factory.mktemp("results")
    convert(ALL15, folder / "old", format="npy")
    convert(MSS88, folder / "new", format="npy")
    return folder


@pytest.fixture
def out(results, tmp_path):
    return shutil.copytree(results / "old", tmp_path / "out")


def test_killed_before_files_were_replaced(results, out):
    """It was told to overwrite, and did not come to it; the next one was not."""
    before = tables(out)
    killed(MSS88, out, 1)
    assert tables(out) == before
    with pytest.raises(FileExistsError):
        convert(MSS88, out, format="npy")
    assert tables(out) == before and not (out / PART).exists()


def test_which_conversions_go_on_and_which_begin_anew(out, tmp_path):
    """Of three captures, the second was interrupted."""
    several = [shutil.copy(MSS88, tmp_path / f"{name}.pcap") for name in "abc"]
    out = tmp_path / "each"
    convert(several[0], out / "a.pcap", format="npy")
    killed(several[1], out / "b.pcap", 1)
    assert (out / "b.pcap" / PART / "gre.npy").exists()
    code, said, err = call("convert", "--each", "--format", "npy", "-o", out, *several)
    assert (code, err) == (0, "")
    assert [line.split("rows")[1] for line in said.splitlines()] == [
        ", converted before",
        ", begun anew after an interrupted conversion",
        "",
    ]
    assert [one.anew for one in convert(several, out, each=True, format="npy")] == [False, False, False]


@pytest.mark.parametrize(
    ("at", "failed"),
    [*((at, 0) for at in (2, 3, 24, 25, 26, 40, MOVES)), *((at, 30) for at in (31, 45, 58)), (12, 10), (60, MOVES)],
)
def test_killed_while_files_were_replaced(results, out, at, failed):
    """The folder says that it is unfinished, so the next one needs no leave to make it anew; also one between that fails."""
    (out / "notes.txt").write_bytes(b"mine")
    killed(MSS88, out, at, failed)
    assert json.loads(tables(out)["capture.json"])["finished"] is False
    with pytest.raises(KeyboardInterrupt):
        convert(MSS88, out, format="npy", watch=interrupt)
    assert json.loads(tables(out)["capture.json"])["finished"] is False
    done = convert(MSS88, out, format="npy")
    assert (done.anew, done.again) == (True, False)
    assert tables(out) == tables(results / "new") | {"notes.txt": b"mine"}
    assert not (out / PART).exists()


def test_killed_again_and_again(results, out):
    """What the second may replace is what the first left, of both captures and in two formats."""
    killed(MSS88, out, 30)
    killed(ALL15, out, 20)
    killed(MSS88, out, 17)
    convert(MSS88, out, format="csv")
    assert all(name.endswith((".csv", ".json", ".sql")) for name in tables(out))
    convert(MSS88, out, format="npy", only=True)
    assert tables(out) == tables(results / "new")


def test_killed_when_all_was_done(results, out):
    """Of the old files, which are in the part beside the lock, nothing is left, and nothing is done again."""
    program = KILLED.replace("os.replace = killing", "os.unlink = lambda *a, **k: os._exit(9)")
    subprocess.run([sys.executable, "-c", program, MSS88, out, "0", "0"], check=False, timeout=60)
    assert len([*(out / PART).iterdir()]) == 24 + 1
    before = state(out)
    assert convert(MSS88, out, format="npy").again
    assert state(out) == {name: of for name, of in before.items() if not name.startswith(PART)}


def test_killed_before_there_was_anything(tmp_path, results):
    out = tmp_path / "out"
    killed(MSS88, out, 5)
    assert len(tables(out)) == 4
    assert not convert(MSS88, out, format="npy").again
    assert tables(out) == tables(results / "new")


@pytest.mark.parametrize("also", [ALL15, MSS88])
def test_what_cannot_be_moved_back(results, out, monkeypatch, also):
    """The message says that the folder is unfinished; what it held is in the part until the next run."""
    count, replace = 0, os.replace

    def failing(*arguments, **more):
        nonlocal count
        count += 1
        if count > 30:
            raise OSError(5, "the disk is gone")
        replace(*arguments, **more)

    monkeypatch.setattr(os, "replace", failing)
    code, said, err = call("convert", "--format", "npy", "--overwrite", "-o", out, MSS88)
    assert (code, said) == (1, "") and err.count("\n") == 1
    assert "the disk is gone" in err and f"{out} is unfinished until the next run" in err
    assert np.load(out / PART / "old.gre.npy").tobytes() == np.load(results / "old" / "gre.npy").tobytes()
    monkeypatch.undo()
    assert not convert(also, out, format="npy").again
    assert tables(out) == tables(results / ("old" if also == ALL15 else "new"))
    assert not (out / PART).exists()


def interrupt(*_):
    raise KeyboardInterrupt


def test_a_part_of_which_something_vanished(out):
    before = state(out)
    with pytest.raises(FileNotFoundError):
        convert(MSS88, out, format="npy", overwrite=True, watch=lambda _: os.unlink(out / PART / "issues.npy"))
    assert state(out) == before


@pytest.mark.parametrize(("name", "note"), [
    ("capture.json", "all is as it was before"),
    ("tunnels.npy", "all is as it was before"),
    ("old.calls.npy", "is unfinished until the next run"),
])  # fmt: skip
def test_a_part_of_which_something_vanished_late(out, monkeypatch, name, note):
    """Before the fifth rename; where an old file is gone for good, the folder does not say that it is whole."""
    before, replace, count = state(out), os.replace, 0

    def removing(*arguments, **more):
        nonlocal count
        count += 1
        if count == 5:
            os.unlink(out / PART / name)
        if count == 40 and name.startswith("old."):
            raise FileNotFoundError(2, "the disk is gone")
        replace(*arguments, **more)

    monkeypatch.setattr(os, "replace", removing)
    with pytest.raises(FileNotFoundError) as error:
        convert(MSS88, out, format="npy", overwrite=True)
    assert [note in one for one in error.value.__notes__] == [True]
    assert (state(out) == before) == note.startswith("all")
    assert json.loads((out / "capture.json").read_text())["finished"] == note.startswith("all")


def test_a_link_that_took_the_place_of_the_part(out, tmp_path):
    """What it leads to is nobody's business; the files go where they were begun."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "precious").write_bytes(b"1")

    def swap(_):
        os.rename(out / PART, out / "gone")
        os.symlink(theirs, out / PART)

    convert(MSS88, out, format="npy", overwrite=True, watch=swap)
    assert [path.name for path in theirs.iterdir()] == ["precious"]


def test_interrupted_at_any_call(out, monkeypatch):
    """Whatever was asked of the system when Ctrl-C was pressed, the folder is as before, or as it is to be."""
    before = state(out)
    made = 0
    for name in ("mkdir", "rmdir", "unlink", "replace", "open", "close", "stat", "scandir", "listdir"):
        real = getattr(os, name)

        def interrupting(*arguments, real=real, **more):
            nonlocal made
            made += 1
            if made == at:
                signal.raise_signal(signal.SIGINT)
            return real(*arguments, **more)

        monkeypatch.setattr(os, name, interrupting)
    at = 0
    convert(MSS88, out.parent / "calls", format="npy", tables=["gre"])
    calls = made
    for at in range(1, calls + 1):
        made = 0
        folder = out.parent / f"{at}"
        with contextlib.suppress(KeyboardInterrupt):
            convert(MSS88, folder, format="npy", tables=["gre"])
        left = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        assert left in ([], ["capture.json", "gre.npy"]), at
    assert state(out) == before


@pytest.mark.parametrize("where", ["/proc", "/proc/none/out"])
def test_where_no_folder_can_be_made(where):
    run = subprocess.run(
        [*COMMAND, "convert", "-o", where, MSS88], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.count("\n") == 1


def test_folders_above_are_removed_too(tmp_path):
    with pytest.raises(Exception, match="found text"):
        convert(__file__, tmp_path / "a" / "b" / "c")
    assert list(tmp_path.iterdir()) == []


def test_nobody_reads_the_output(tmp_path):
    """The first line that cannot be written ends it, with the code of a broken pipe."""
    line = f"export PYTHONUNBUFFERED=1; $P convert --format npy --each -o {tmp_path}/out {MSS88} {ALL15} | exec true"
    run = shell(f"{line}; exit $PIPESTATUS")
    assert (run.returncode, run.stderr) == (141, "")


def test_numbers_of_numpy(tmp_path):
    assert convert(MSS88, tmp_path / "out", format="npy", ports=np.array([1723], np.uint16)).rows["gre"] == 57
