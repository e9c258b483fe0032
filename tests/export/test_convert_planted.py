"""Folders that somebody prepared: what ``convert`` makes of them, and that it touches nothing of it that is not its own.

A row of a table is what is planted, and what must happen.  The folder is ``f``; ``victim`` lies beside it.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import socket
import stat
from collections.abc import Callable, Iterable
from functools import partial

import pytest
from commands import ALL15, MSS88, call, shell
from test_convert_folder import names

from pptpcap.export import convert

pytestmark = pytest.mark.slow

PART = ".pptpcap.part"
HUGE = 1 << 40


@pytest.fixture(autouse=True)
def nobody_waits():
    """An end of a pipe that nobody opens is waited for by whoever does not take care."""

    def late(*_):
        raise TimeoutError("it waits")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A capture, a folder that is empty, and somebody's files beside it."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(MSS88, "in.pcap")
    os.makedirs("victim/folder")
    for name in ("victim/x", "victim/capture.json", "victim/folder/y"):
        put(name, b"precious")
    os.mkdir("f")
    return tmp_path


def put(path: str | bytes, octets: bytes = b"planted") -> None:
    with open(path, "wb") as file:
        file.write(octets)


def octets_of(path: str | bytes) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def sparse(path: str, size: int = HUGE) -> None:
    put(path)
    os.truncate(path, size)


def listening(path: str) -> None:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as one:
        one.bind(path)


def seen(top: str = ".") -> dict[bytes, tuple[object, ...]]:
    """All that is there, not followed: kind, inode, permissions, times of what is no folder, and contents or target."""
    told: dict[bytes, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(os.fsencode(top)):
        for name in folders + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            kind = stat.S_IFMT(status.st_mode)
            what = b""
            if kind == stat.S_IFLNK:
                what = os.readlink(path)
            elif kind == stat.S_IFREG and status.st_size < HUGE:
                what = octets_of(path)
            time = 0 if kind == stat.S_IFDIR else status.st_mtime_ns
            told[path] = (kind, status.st_ino, status.st_mode, status.st_size * (kind == stat.S_IFREG), time, what)
    return told


def refused(named: str, *arguments: object) -> None:
    """One line that names what is in the way, and nothing is changed."""
    before = seen()
    code, out, err = call("convert", "-o", "f", *arguments)
    assert (code, out) == (1, "")
    assert err.startswith("pptpcap: ") and err.count("\n") == 1 and named in err, err
    assert seen() == before


# ---- in the part


def in_part(name: str) -> str:
    return f"f/{PART}/{name}"


def put_each(several: Iterable[str]) -> None:
    for name in several:
        put(in_part(name))


# Regular files with the names that a run gives: removed, and the capture is converted.
LEFT = {
    "nothing": lambda: None,
    "a table, half": lambda: put(in_part("gre.csv")),
    "a table in another format": lambda: put(in_part("calls.parquet")),
    "an old file": lambda: put(in_part("old.gre.csv")),
    "all": lambda: put_each(f"{old}{name}" for name in names("csv") for old in ("", "old.")),
    "an unfinished state": lambda: put(in_part("unfinished.json"), b"{}"),
    "the lock": lambda: put(in_part("lock")),
    "a lock with contents": lambda: put(in_part("lock"), b"\0" * 100_000),
    "a finished state": lambda: put(in_part("capture.json"), b"\xff\xfe"),
    "a huge file": lambda: sparse(in_part("gre.csv")),
    "a huge state": lambda: sparse(in_part("capture.json")),
    "another name of a file elsewhere": lambda: os.link("victim/x", in_part("gre.csv")),
    "a lock that is another name": lambda: os.link("victim/x", in_part("lock")),
}


@pytest.mark.parametrize("left", LEFT)
def test_what_a_killed_run_left_is_removed(place, left):
    os.mkdir(f"f/{PART}")
    LEFT[left]()
    before = seen()
    code, _, err = call("convert", "-o", "f", "--format", "csv", "in.pcap")
    assert (code, err) == (0, "")
    assert sorted(os.listdir("f")) == names("csv")
    after = seen()
    assert {path: after.get(path) for path in before if not path.startswith(b"./f/")} == {
        path: of for path, of in before.items() if not path.startswith(b"./f/")
    }


# Anything else: named, and not touched.
STRANGE = {
    "a journal with a way out": ("moving", lambda: put(in_part("moving"), b"../victim/x\ncapture.json")),
    "a journal that is a pipe": ("moving", lambda: os.mkfifo(in_part("moving"))),
    "a journal that is no text": ("moving", lambda: put(in_part("moving"), b"\xff\xfe\0")),
    "a folder": ("folder", lambda: os.mkdir(in_part("folder"))),
    "a folder with the name of a table": ("gre.csv", lambda: shutil.copytree("victim/folder", in_part("gre.csv"))),
    "a folder in the place of the lock": ("lock", lambda: os.mkdir(in_part("lock"))),
    "a folder in the place of the state": ("capture.json", lambda: os.mkdir(in_part("capture.json"))),
    "a pipe": ("gre.csv", lambda: os.mkfifo(in_part("gre.csv"))),
    "a pipe in the place of the lock": ("lock", lambda: os.mkfifo(in_part("lock"))),
    "a pipe in the place of the state": ("capture.json", lambda: os.mkfifo(in_part("capture.json"))),
    "a socket": ("gre.csv", lambda: listening(in_part("gre.csv"))),
    "a socket in the place of the lock": ("lock", lambda: listening(in_part("lock"))),
    "a link to a file": ("gre.csv", lambda: os.symlink("../../victim/x", in_part("gre.csv"))),
    "a link to a folder": ("old.gre.csv", lambda: os.symlink("../../victim", in_part("old.gre.csv"))),
    "a link in the place of the lock": ("lock", lambda: os.symlink("../../victim/x", in_part("lock"))),
    "a link to what is not there": ("lock", lambda: os.symlink("../../victim/new", in_part("lock"))),
    "a link in the place of the state": (
        "capture.json",
        lambda: os.symlink("../../victim/capture.json", in_part("capture.json")),
    ),
    "a link with another name": ("link", lambda: os.symlink("../../victim", in_part("link"))),
    "a file with another name": ("notes.txt", lambda: put(in_part("notes.txt"))),
    "an old file with another name": ("old.notes.txt", lambda: put(in_part("old.notes.txt"))),
    "a name that is hidden": (".gre.csv", lambda: put(in_part(".gre.csv"))),
    "a name in other letters": ("GRE.CSV", lambda: put(in_part("GRE.CSV"))),
    "a name that is no text": ("\\xff\\xfe", lambda: put(os.fsencode(in_part("")) + b"\xff\xfe")),
    "a name that writes to the terminal": ("\\x1b[2J\\x0a", lambda: put(in_part("\x1b[2J\n"))),
    "very many names": ("strange", lambda: put_each(f"strange{number}" for number in range(1_000))),
    "an input": ("gre.csv", lambda: os.link("in.pcap", in_part("gre.csv"))),
}


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize("strange", STRANGE)
def test_what_no_run_leaves_is_refused(place, strange, overwrite):
    os.mkdir(f"f/{PART}")
    put(in_part("ppp.csv"), b"half")
    named, plant = STRANGE[strange]
    plant()
    refused(named, *overwrite, "--format", "csv", "in.pcap")


IN_ITS_PLACE = {
    "a link to a folder": lambda: os.symlink("../victim", f"f/{PART}"),
    "a link to itself": lambda: os.symlink(PART, f"f/{PART}"),
    "a link to nowhere": lambda: os.symlink("nowhere", f"f/{PART}"),
    "a file": lambda: put(f"f/{PART}"),
    "a pipe": lambda: os.mkfifo(f"f/{PART}"),
    "a socket": lambda: listening(f"f/{PART}"),
}


@pytest.mark.parametrize("thing", IN_ITS_PLACE)
def test_what_is_in_the_place_of_the_part(place, thing):
    IN_ITS_PLACE[thing]()
    refused(PART, "--format", "csv", "in.pcap")


@pytest.mark.parametrize("left", [[], ["gre.csv", "lock"]])
def test_a_part_of_another_user(place, monkeypatch, left):
    """Who made it could put something else in the place of what is written there."""
    os.mkdir(f"f/{PART}")
    for name in left:
        put(in_part(name))
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    refused("belongs to another user", "--format", "csv", "in.pcap")


def test_a_part_is_its_users_alone(place):
    modes = []

    def look(_):
        modes.append(stat.S_IMODE(os.stat(f"f/{PART}").st_mode))

    convert("in.pcap", "f", format="csv", watch=look)
    assert set(modes) == {0o700}


@pytest.mark.parametrize("strange", STRANGE)
def test_where_nothing_is_to_be_done_nothing_is_touched(place, strange):
    convert("in.pcap", "f", format="csv")
    os.mkdir(f"f/{PART}")
    STRANGE[strange][1]()
    before = seen()
    code, out, err = call("convert", "-o", "f", "--format", "csv", "in.pcap")
    assert (code, err) == (0, "") and "converted before" in out
    assert seen() == before


# ---- in the folder


def another(path: str) -> None:
    """A link to a file of the same size and contents."""
    os.rename(path, "elsewhere")
    os.symlink("../elsewhere", path)


def instead(path: str, plant) -> None:
    os.unlink(path)
    plant(path)


def forged(path: str, size: int | None = None) -> None:
    """A state that lists a file of somebody's."""
    size = os.stat(f"f/{path}").st_size if size is None else size
    put(
        "f/capture.json",
        b'{"pptpcap": "0.1.0", "finished": false, "tables": {}, "kept": [], "replaced": [{"file": "%s", "size": %d}]}'
        % (path.encode(), size),
    )


def listing(name: str, make: Callable[[str], object], size: int | None = None) -> None:
    """Something in the folder, and a state that lists it."""
    make(f"f/{name}")
    forged(name, size)


# What is planted where nothing was converted.
ALONE = {
    "a table": ("gre.csv", lambda: put("f/gre.csv")),
    "a table in another format": ("gre.npy", lambda: put("f/gre.npy")),
    "a folder": ("gre.csv", lambda: os.mkdir("f/gre.csv")),
    "a pipe": ("gre.csv", lambda: os.mkfifo("f/gre.csv")),
    "a link": ("gre.csv", lambda: os.symlink("../victim/x", "f/gre.csv")),
    "a link to what is not there": ("gre.csv", lambda: os.symlink("../victim/new", "f/gre.csv")),
    "a state that is a folder": ("capture.json", lambda: os.mkdir("f/capture.json")),
    "a state that is a pipe": ("capture.json", lambda: os.mkfifo("f/capture.json")),
    "a state that is a socket": ("capture.json", lambda: listening("f/capture.json")),
    "a state that is a link": ("capture.json", lambda: os.symlink("../victim/capture.json", "f/capture.json")),
    "a state that is huge": ("capture.json", lambda: sparse("f/capture.json")),
    "a state of somebody's": ("capture.json", lambda: put("f/capture.json", b'{"finished": true}')),
    "a state that lists what lies outside": ("capture.json", lambda: forged("../victim/x")),
    "a state that lists what is no table": ("capture.json", lambda: listing("notes.txt", put)),
    "a state that lists itself": ("capture.json", lambda: listing("capture.json", put)),
    "a state that lists a folder": ("gre.csv", lambda: listing("gre.csv", os.mkdir)),
    "a state that lists a pipe": ("gre.csv", lambda: listing("gre.csv", os.mkfifo)),
    "a state that lists a link": ("gre.csv", lambda: listing("gre.csv", partial(os.symlink, "../victim/x"))),
    "a state that lists another size": ("gre.csv", lambda: listing("gre.csv", put, 8)),
    "a state that lists an input": ("gre.csv", lambda: listing("gre.csv", partial(os.link, "in.pcap"))),
    "a state that is an input": ("capture.json", lambda: os.link("in.pcap", "f/capture.json")),
}  # fmt: skip


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
@pytest.mark.parametrize("planted", ALONE)
def test_what_is_in_the_way(place, planted, overwrite):
    named, plant = ALONE[planted]
    plant()
    put("f/notes.md")
    refused(f"f/{named}", *overwrite, "--format", "csv", "in.pcap")


# What is changed after a conversion.
CHANGED = {
    "longer": lambda path: put(path, b"longer" * 10_000),
    "empty": put,
    "a link to what it was": another,
    "a folder": lambda path: instead(path, os.mkdir),
    "a pipe": lambda path: instead(path, os.mkfifo),
}


@pytest.mark.parametrize("name", ["gre.csv", "ppp.csv", "capture.json"])
@pytest.mark.parametrize("change", CHANGED)
def test_what_was_changed_since(place, name, change):
    """One that is replaced, one that is removed, and the state."""
    convert(ALL15, "f", format="csv")
    CHANGED[change](f"f/{name}")
    refused(f"f/{name}", "--overwrite", "--format", "csv", "--table", "gre", "in.pcap")


@pytest.mark.parametrize("name", ["gre.csv", "calls.csv", "gre.npy", "capture.json"])
def test_what_is_changed_while_the_capture_is_read(place, name):
    """By somebody else: what was looked at is no longer what is there."""
    convert(ALL15, "f", format="csv", tables=["gre", "calls"])
    octets = b"" if name == "gre.npy" else octets_of(f"f/{name}")

    put("copy", octets)

    def change(_):
        with contextlib.suppress(FileNotFoundError):
            os.replace("copy", f"f/{name}")

    with pytest.raises(FileExistsError, match=name):
        convert("in.pcap", "f", format="csv", tables=["gre"], overwrite=True, watch=change)
    assert sorted(os.listdir("f")) == sorted({"gre.csv", "calls.csv", "capture.json", "capture.sql", name})
    assert octets_of(f"f/{name}") == octets


# ---- inputs among the outputs


def test_an_input_is_not_removed(place):
    """The example that showed it: a capture with the name of a table in another format."""
    os.rename("in.pcap", "f/gre.npy")
    refused("f/gre.npy", "--overwrite", "--format", "csv", "f/gre.npy")


def linked(link: Callable[[str, str], object], path: str, name: str) -> str:
    """The name, which is that of a link from now on."""
    link(path, name)
    return name


# How the capture is named, which is a file of an earlier run.
NAMED = {
    "by its name": lambda path: path,
    "by another path": lambda path: f"f/../{path}",
    "by a link": lambda path: linked(os.symlink, path, "link"),
    "by a link to its folder": lambda path: f"{linked(os.symlink, 'f', 'g')}/{os.path.basename(path)}",
    "by a second name": lambda path: linked(os.link, path, "second"),
    "by a pattern": lambda path: f"f/?{os.path.basename(path)[1:]}",
}  # fmt: skip


@pytest.mark.parametrize("name", ["gre.csv", "ppp.csv", "capture.json"])
@pytest.mark.parametrize("how", NAMED)
def test_an_input_that_would_be_replaced(place, how, name):
    convert(ALL15, "f", format="csv")
    refused(
        f"f/{name}: would be", "--overwrite", "--format", "csv", "--table", "gre", "in.pcap", NAMED[how](f"f/{name}")
    )


def test_an_input_that_is_open(place):
    """Standard input, and a file object of any kind that has a descriptor."""
    convert(ALL15, "f", format="csv")
    before = seen()
    run = shell("$P convert --overwrite --format csv -o f - < f/gre.csv")
    assert (run.returncode, run.stdout) == (1, "") and "f/gre.csv: would be" in run.stderr
    for kind in (open, io.FileIO):
        with kind("f/gre.csv", "rb") as file, pytest.raises(FileExistsError, match="would be"):
            convert(file, "f", format="csv", overwrite=True)
    assert seen() == before


def test_an_input_in_the_part(place):
    os.mkdir(f"f/{PART}")
    os.rename("in.pcap", in_part("gre.npy"))
    refused("gre.npy: would be", "--format", "csv", in_part("gre.npy"))


def test_a_file_object_without_a_descriptor(place):
    assert convert(io.BytesIO(MSS88.read_bytes()), "f", format="csv").rows["gre"] == 57


def test_each_spares_what_comes_later(place):
    """The second capture lies where the first would be converted to; it is no capture, but that is not looked at before."""
    assert call("convert", "-o", "f", "--each", "--format", "csv", "in.pcap")[0] == 0
    before = seen("f")
    files = ["in.pcap", "f/in.pcap/gre.csv"]
    code, _, err = call("convert", "-o", "f", "--each", "--format", "npy", "--overwrite", *files)
    assert code == 1 and "f/in.pcap/gre.csv: would be replaced" in err
    assert seen("f/in.pcap") == {path: of for path, of in before.items() if path.startswith(b"f/in.pcap/")}


def test_each_goes_on_behind_a_prepared_folder(place):
    shutil.copy(ALL15, "b.pcap")
    os.makedirs(f"f/in.pcap/{PART}")
    os.mkfifo(f"f/in.pcap/{PART}/moving")
    code, out, err = call("convert", "-o", "f", "--each", "--format", "csv", "in.pcap", "b.pcap")
    assert (code, err.count("\n")) == (1, 1) and "moving" in err and "f/b.pcap: " in out
    assert os.listdir("f/in.pcap") == [PART] and sorted(os.listdir("f/b.pcap")) == names("csv")
