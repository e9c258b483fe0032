"""A file that is whole or absent: with a name and without, whatever is in its place, whoever ends the process."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pptpcap._output.whole import WholeFile

BEGIN = b"begin"
PART = ".pptpcap.0123456789abcdef.part"


@pytest.fixture(params=["unnamed", "named"])
def kind(request, monkeypatch):
    """Files without a name where the system has them, and as where it has not."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("no files without a name here")
    return request.param


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out"


def write(path, octets=b"new", *, overwrite=False, spared=()):
    with WholeFile(str(path), BEGIN, overwrite=overwrite, spared=spared) as file:
        file.write(BEGIN + octets)


def names(folder):
    return sorted(os.listdir(folder))


def test_it_has_its_name_when_it_is_whole(kind, path):
    with WholeFile(str(path), BEGIN, overwrite=False) as file:
        file.write(BEGIN + b"abc")
        file.flush()
        assert len(names(path.parent)) == (kind == "named")
        assert not path.exists()
    assert path.read_bytes() == b"beginabc"
    assert names(path.parent) == ["out"]
    # It may hold what was encrypted, whatever the user's mask is.
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_in_the_folder_where_one_is(kind, path, monkeypatch):
    monkeypatch.chdir(path.parent)
    write("out")
    assert path.read_bytes() == b"beginnew"


@pytest.mark.parametrize("overwrite", [False, True])
def test_an_error_leaves_nothing(kind, path, overwrite):
    with contextlib.suppress(ZeroDivisionError), WholeFile(str(path), BEGIN, overwrite=overwrite) as file:
        file.write(BEGIN + b"abc" * (1 << 20))
        raise ZeroDivisionError
    assert names(path.parent) == []


# ---- what is there already


def test_nothing_is_replaced_unasked(kind, path):
    path.write_bytes(b"before")
    with pytest.raises(FileExistsError, match="is not to be overwritten") as caught:
        write(path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"before"
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        write(path)
    assert names(path.parent) == ["out"]


def test_nor_what_came_meanwhile(kind, path):
    with pytest.raises(FileExistsError, match="is not to be overwritten"), WholeFile(str(path), BEGIN, overwrite=False):
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert names(path.parent) == ["out"]


def test_what_is_replaced_is_so_at_once(kind, path):
    path.write_bytes(b"before")
    other = path.with_name("other")
    os.link(path, other)
    with WholeFile(str(path), BEGIN, overwrite=True) as file:
        file.write(BEGIN + b"abc")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"beginabc"
    assert other.read_bytes() == b"before"
    assert names(path.parent) == ["other", "out"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_overwriting_where_nothing_is(kind, path):
    write(path, overwrite=True)
    assert names(path.parent) == ["out"]


def test_a_link_is_replaced_and_not_what_it_leads_to(kind, path):
    for target in ("precious", "nowhere"):
        path.with_name("precious").write_bytes(b"1")
        path.symlink_to(target)
        write(path, overwrite=True)
        assert path.read_bytes() == b"beginnew"
        assert path.with_name("precious").read_bytes() == b"1"
        path.unlink()


@pytest.mark.parametrize("make", ["folder", "pipe", "link to a folder", "link to a device", "link to itself"])
def test_what_is_no_file_is_never_replaced(kind, path, make):
    if make == "folder":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    else:
        targets = {"link to a folder": ".", "link to a device": "/dev/null", "link to itself": "out"}
        path.symlink_to(targets[make])
    before = unchanged(path.parent)
    with pytest.raises(OSError, match=r"is no regular file|symbolic links"):
        write(path, overwrite=True)
    assert unchanged(path.parent) == before


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_the_name_of_a_folder(kind, tmp_path, name):
    with pytest.raises(OSError, match="is no regular file"):
        write(f"{tmp_path}/{name}", overwrite=True)
    assert names(tmp_path) == []


def test_where_nothing_can_be_written(kind, tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "no" / "out", tmp_path / "file" / "out"):
        with pytest.raises(OSError, match=r"No such|Not a directory") as caught:
            write(path)
        assert caught.value.filename == str(path)


# ---- file systems that lack something


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="no files without a name here")
@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EISDIR])
def test_a_file_system_without_unnamed_files(path, monkeypatch, code):
    real = os.open

    def refusing(name, flags, *more, **options):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(code, os.strerror(code))
        return real(name, flags, *more, **options)

    monkeypatch.setattr(os, "open", refusing)
    with WholeFile(str(path), BEGIN, overwrite=False) as file:
        file.write(BEGIN + b"abc")
        assert len(names(path.parent)) == 1
    assert path.read_bytes() == b"beginabc"


def test_no_list_of_descriptors(path, monkeypatch):
    """Without it, a file that has no name could not be given one at the end."""
    real = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda name: not str(name).startswith("/proc") and real(name))
    with WholeFile(str(path), BEGIN, overwrite=False) as file:
        file.write(BEGIN + b"abc")
        assert len(names(path.parent)) == 1
    assert path.read_bytes() == b"beginabc"


def test_a_file_system_without_links(path, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)

    def refused(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    write(path)
    assert path.read_bytes() == b"beginnew"
    assert names(path.parent) == ["out"]
    path.unlink()
    with pytest.raises(FileExistsError), WholeFile(str(path), BEGIN, overwrite=False):
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert names(path.parent) == ["out"]


def test_file_and_folder_are_synced(kind, path, monkeypatch):
    """The file before it has its name, the folder afterwards."""
    synced = []
    real = os.fsync

    def watching(descriptor):
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), path.exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watching)
    write(path)
    assert synced == [(False, False), (True, True)]


@pytest.mark.parametrize("code", [errno.EIO, errno.EINVAL])
def test_a_folder_that_cannot_be_synced(kind, path, monkeypatch, code):
    """Some file systems do not know how; others tell that the name may be lost, and the error says what is there."""
    real = os.fsync

    def refusing(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", refusing)
    if code == errno.EIO:
        with pytest.raises(OSError, match="is there and whole, but not its folder: Input/output error"):
            write(path)
    else:
        write(path)
    assert path.read_bytes() == b"beginnew"
    assert names(path.parent) == ["out"]


# ---- what others left

LEFT = {
    "whole": lambda path: path.write_bytes(BEGIN + b"more"),
    "nothing yet": lambda path: path.touch(),
}


def linked_to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("precious"))
    path.symlink_to("precious")


NOT_OURS = {
    "something else": lambda path: path.write_bytes(b"precious"),
    "less than the begin": lambda path: path.write_bytes(BEGIN[:3]),
    "folder": lambda path: path.mkdir(),
    "folder with a file": lambda path: (path.mkdir(), (path / "precious").touch()),
    "pipe": os.mkfifo,
    "link to a file": lambda path: (path.with_name("precious").write_bytes(BEGIN), path.symlink_to("precious")),
    "link to a pipe": linked_to_a_pipe,
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("what", LEFT)
def test_parts_of_processes_that_are_gone_are_removed(kind, path, what):
    LEFT[what](path.with_name(PART))
    write(path)
    assert names(path.parent) == ["out"]


def unchanged(folder: Path) -> dict[str, tuple[int, ...]]:
    """What the file system says of each file but when it was read, which looking at it changes."""
    found = {name: (folder / name).lstat() for name in names(folder)}
    return {
        name: (one.st_mode, one.st_ino, one.st_nlink, one.st_uid, one.st_gid, one.st_size, one.st_mtime_ns)
        for name, one in found.items()
    }


@pytest.mark.parametrize("what", NOT_OURS)
def test_what_is_no_part_stays(kind, path, what):
    NOT_OURS[what](path.with_name(PART))
    before = unchanged(path.parent)
    write(path)
    path.unlink()
    assert unchanged(path.parent) == before


@pytest.mark.parametrize(
    "name", [".pptpcap.0123.part", "a.pptpcap.0123456789abcdef.part", ".pptpcap.part", PART + "\n", PART.upper()]
)
def test_other_names_stay(kind, path, name):
    path.with_name(name).write_bytes(BEGIN)
    write(path)
    assert names(path.parent) == sorted([name, "out"])


@pytest.mark.parametrize("begins", [b"one", b"other and more"])
def test_a_part_of_each_beginning_is_removed(kind, path, begins):
    path.with_name(PART).write_bytes(begins)
    with WholeFile(str(path), (b"one", b"other"), overwrite=False) as file:
        file.write(b"one")
    assert names(path.parent) == ["out"]


def test_a_part_of_a_process_that_lives_stays(kind, path):
    with path.with_name(PART).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write(path)
        assert names(path.parent) == [PART, "out"]


def test_two_at_once(kind, path):
    with WholeFile(str(path), BEGIN, overwrite=True) as one:
        one.write(BEGIN + b"one")
        write(path, b"two", overwrite=True)
        assert path.read_bytes() == b"begintwo"
    assert path.read_bytes() == b"beginone"
    assert names(path.parent) == ["out"]


def test_a_part_of_another_user_stays(kind, path, monkeypatch):
    part = path.with_name(PART)
    part.write_bytes(BEGIN)
    monkeypatch.setattr(os, "geteuid", lambda: part.stat().st_uid + 1)
    write(path)
    assert names(path.parent) == [PART, "out"]


def test_a_part_that_is_read_stays(kind, path):
    """Somebody may want to look at what a process left that was killed."""
    part = path.with_name(PART)
    part.write_bytes(BEGIN)
    write(path, spared={(part.stat().st_dev, part.stat().st_ino)})
    assert names(path.parent) == [PART, "out"]


def test_a_part_that_was_taken_for_stale_before_it_was_locked(path, monkeypatch):
    """Its process makes another one."""
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    real = fcntl.flock
    removed: list[str] = []

    def late(descriptor, act):
        if not removed:
            removed.extend(names(path.parent))
            os.unlink(path.with_name(removed[0]))
        real(descriptor, act)

    monkeypatch.setattr(fcntl, "flock", late)
    write(path)
    assert path.read_bytes() == b"beginnew"
    assert names(path.parent) == ["out"]


def test_a_folder_that_cannot_be_looked_through(kind, path, monkeypatch):
    def refused(*_):
        raise PermissionError

    monkeypatch.setattr(os, "listdir", refused)
    write(path)
    assert path.exists()


KILLED = """
import os, signal, sys
from pptpcap._output.whole import WholeFile
path, kind, call = sys.argv[1:]
if kind == "named":
    del os.O_TMPFILE
def killing(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
with WholeFile(path, b"begin", overwrite=True) as file:
    file.write(b"begin" + bytes(3 << 20))
    setattr(os, call, killing)
"""


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_killed(kind, path, call):
    """Without names nothing is left but in the moment in which another file is replaced; the next removes it."""
    path.write_bytes(b"before")
    run = subprocess.run([sys.executable, "-c", KILLED, path, kind, call], check=False, timeout=60)
    assert run.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"before"
    assert len(names(path.parent)) == (1 if kind == "unnamed" and call == "fsync" else 2)
    write(path, overwrite=True)
    assert path.read_bytes() == b"beginnew"
    assert names(path.parent) == ["out"]
