"""A conversion that is killed, or is interrupted again and again, and what the next one makes of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from commands import ALL15, COMMAND, MSS88, shell
from test_convert_folder import state

from pptpcap.export import convert

PART = ".pptpcap.part"
# 23 tables and capture.json are moved away, and as many put in their places.
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


@pytest.mark.parametrize("at", [1, 2, 24, 25, 26, 40, MOVES])
def test_killed_while_files_were_moved(results, out, at):
    """The old ones are back before anything else is done; the next does not need leave to write over them."""
    before = tables(out)
    killed(MSS88, out, at)
    assert tables(out) != before or at == 1
    with pytest.raises(FileExistsError):
        convert(MSS88, out, format="npy")
    assert tables(out) == before
    assert not (out / PART).exists()
    convert(MSS88, out, format="npy", overwrite=True)
    assert tables(out).keys() == tables(results / "new").keys()


@pytest.mark.parametrize("failed", [10, 30, MOVES])
@pytest.mark.parametrize("more", [1, 2, 7])
def test_killed_while_files_were_moved_back(out, failed, more):
    before = tables(out)
    killed(MSS88, out, failed + more, failed)
    with pytest.raises(FileExistsError):
        convert(MSS88, out, format="npy")
    assert tables(out) == before


def test_killed_before_there_was_anything(tmp_path, results):
    """The next one goes on, also where one between them fails."""
    out = tmp_path / "out"
    killed(MSS88, out, 5)
    assert len(tables(out)) == 4
    with pytest.raises(KeyboardInterrupt):
        convert(MSS88, out, format="npy", watch=interrupt)
    assert not tables(out)
    done = convert(MSS88, out, format="npy")
    assert not done.again
    assert tables(out).keys() == tables(results / "new").keys()


def interrupt(*_):
    raise KeyboardInterrupt


def test_a_part_of_which_something_vanished(out):
    before = state(out)
    with pytest.raises(FileNotFoundError):
        convert(MSS88, out, format="npy", overwrite=True, watch=lambda _: os.unlink(out / PART / "issues.npy"))
    assert state(out) == before


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
