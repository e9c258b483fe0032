"""Each call of `decapsulate` and `extract` for files fails, is cut short, or meets a signal: the file is whole, or as before."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from commands import MSS88
from faults import Fault, Forks, is_possible

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_possible(), reason="needs Linux of 64 bits and a C compiler")]

MODULES = (
    "pptpcap.cli.commands.decapsulate",
    "pptpcap.cli.commands.extract",
    "pptpcap.cli.decapsulate",
    "pptpcap.cli.extract",
    "Cryptodome.Cipher.ARC4",
    "Cryptodome.Cipher.DES",
    "Cryptodome.Hash.MD4",
)
SAID = {
    "decapsulate": "all calls\n  14  inner IP packets written\n  31  PPP control packets\n",
    "extract": "104 of 109 packets\n",
}
OURS = ".pptpcap."
NO_FAULT = Fault()


class Kind(Forks):
    """Also says whether files have names before they are whole."""

    kind = "unnamed"


@pytest.fixture(scope="module", params=["unnamed", "named"])
def forks(request):
    """With files that have no name until they are whole, and as where there are none."""
    more = ["named"] if request.param == "named" else []
    with Kind(*MODULES, *more) as running:
        running.kind = request.param
        yield running


@pytest.fixture(scope="module")
def wholes(tmp_path_factory):
    """What each command is to write."""
    found = {}
    with Kind(*MODULES) as running:
        for command in SAID:
            made = Folder(tmp_path_factory.mktemp(command), running, command, replaces=False)
            assert made.run().code == 0
            found[command] = made.out.read_bytes()
    return found


@pytest.fixture
def whole(folder, wholes):
    return wholes[folder.command]


class Folder:
    """A folder with a capture, a password, and files that are nobody's business; perhaps one to be replaced."""

    def __init__(self, folder: Path, forks: Kind, command: str, *, replaces: bool) -> None:
        self.path = folder
        self.command = command
        self.forks = forks
        self.out = folder / "out"
        self.secret = folder / "secret"
        shutil.copy(MSS88, folder / "in.pcap")
        self.secret.write_text("labpass1\n")
        self.secret.chmod(0o600)
        (folder / f"{OURS}0123456789abcdef.part").write_bytes(b"not ours")
        self.before = b"before" if replaces else None
        self.is_plain = not replaces and forks.kind == "unnamed"
        self.others = self.state()

    def run(self, fault=NO_FAULT):
        options = ["--overwrite"] if self.before else []
        if self.command == "decapsulate":
            options += ["--password-file", str(self.secret)]
        self.out.unlink(missing_ok=True)
        if self.before:
            self.out.write_bytes(self.before)
        return self.forks.run([self.command, self.path / "in.pcap", "-o", self.out, *options], self.path, fault)

    def state(self):
        return {path.name: path.read_bytes() for path in self.path.iterdir() if path != self.out}

    def left(self):
        """What there is that was not there before; all else is as it was."""
        now = self.state()
        assert {name: now.get(name) for name in self.others} == self.others
        return sorted(now.keys() - self.others.keys())

    def written(self):
        return self.out.read_bytes() if self.out.exists() else None


@pytest.fixture(params=["decapsulate new", "decapsulate replaced", "extract replaced"])
def folder(request, forks, tmp_path):
    command, _, what = request.param.partition(" ")
    return Folder(tmp_path, forks, command, replaces=what == "replaced")


def each(folder, what, times=1, calls=""):
    """Runs in which that happens to one call after the other, or to all from one on; the call, and how it ended."""
    made = folder.run(Fault(calls=calls)).calls
    assert len(made) > 3
    for at, call in enumerate(made, 1):
        # How the output is written changes nothing for what is read.
        if folder.is_plain or not call.path.endswith(("/in.pcap", "/secret")):
            run = folder.run(Fault(what, at, times, calls))
            yield f"{what} at {at}: {run.calls[at - 1]}", run


FAULTS = [
    ("EIO", ""),
    ("EINTR", "read write open openat fsync flock"),
    ("ENOSPC", "openat write fsync linkat renameat"),
    ("short", "read write pread"),
]


@pytest.mark.parametrize(("what", "calls"), FAULTS, ids=[what for what, _ in FAULTS])
def test_a_call_fails(folder, whole, what, calls):
    """All is done, or one line says what failed, and nothing is; or that line says that the file is there."""
    outcomes: Counter[str] = Counter()
    for where, run in each(folder, what, calls=calls):
        left = folder.left()
        if run.code == 0:
            assert (run.out, run.err, folder.written()) == (SAID[folder.command], "", whole), where
            outcome = "done"
        else:
            assert run.code in (1, 2), where
            assert run.out == "", where
            assert run.err.count("\n") == 1 or run.err.startswith("Usage: "), (where, run.err)
            assert "Traceback" not in run.err, where
            is_there = "is there and whole" in run.err
            assert folder.written() == (whole if is_there else folder.before), where
            outcome = "there, but not synced" if is_there else "refused"
        # A part that cannot be removed is left to the next run.
        assert not left or "unlinkat" in where, where
        if left:
            assert folder.run().code == 0
            assert folder.left() == []
        outcomes[outcome] += 1
    assert outcomes["done"] > 0
    assert (outcomes["refused"] > 0) == (what not in ("EINTR", "short"))


def test_killed_at_each_call(folder, whole):
    """What is left is one part at most, and the next run removes it; without names, one in the moment of replacing."""
    parts = 0
    for where, run in each(folder, "SIGKILL"):
        assert run.code == -9, where
        assert folder.written() in (folder.before, whole), where
        left = folder.left()
        assert len(left) < 2, where
        assert all(name.startswith(OURS) for name in left), where
        if left:
            assert folder.run().code == 0, where
            assert (folder.left(), folder.written()) == ([], whole), where
        parts += len(left)
    if folder.forks.kind == "named":
        assert parts > 1
    else:
        assert parts == (folder.before is not None)


@pytest.mark.parametrize(("what", "times"), [("SIGINT", 1), ("SIGTERM", 0)], ids=["once", "again and again"])
def test_a_signal_at_each_call(folder, whole, what, times):
    """Nothing is left, though the signal comes before every call of the clean-up too."""
    codes = {"SIGTERM": 143, "SIGINT": 130}
    outcomes: Counter[str] = Counter()
    for where, run in each(folder, what, times):
        assert run.code == codes[what], where
        assert (run.out, run.err) == ("", ""), where
        assert folder.written() in (folder.before, whole), where
        assert folder.left() == [], where
        outcomes["new" if folder.written() == whole else "as before"] += 1
    assert outcomes["as before"] > outcomes["new"] > 0
