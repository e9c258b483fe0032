"""What ``setup.py`` makes of a small module: the same octets in any folder, hardened, and not under sanitizers.

The module is typed here, so that it has what each flag acts on.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from faults import is_possible
from places import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_possible(), reason="needs Linux of 64 bits and a C compiler")]

SETUP = ROOT / "setup.py"
PROBE = '''
cdef extern from *:
    """
    #include <string.h>
    #ifndef _FORTIFY_SOURCE
    #define _FORTIFY_SOURCE 0
    #endif
    static int probe_level(void) { return _FORTIFY_SOURCE; }
    static const char *probe_file(void) { return __FILE__; }
    static int probe_copy(const char *from) { char room[16]; strcpy(room, from); return room[strlen(from) / 2]; }
    """
    int probe_level()
    const char *probe_file()
    int probe_copy(const char *text)

def level():
    return probe_level()

def file():
    return probe_file()

def copy(bytes text):
    return probe_copy(text)
'''

LOAD_DYNAMIC, LOAD_RELRO = 2, 0x6474E552
FLAGS, FLAGS_1 = 30, 0x6FFFFFFB
BIND_NOW, NOW = 8, 1


def build(folder: Path, *, cwd: Path | None = None, **environment: str) -> None:
    """Build the probe in a new folder, or in one that leads there."""
    core = folder / "src" / "pptpcap" / "core"
    core.mkdir(parents=True)
    shutil.copy(SETUP, folder)
    (core.parent / "__init__.py").touch()
    (core / "__init__.py").touch()
    (core / "probe.pyx").write_text(PROBE)
    more = {key: value for key, value in os.environ.items() if not key.startswith("PPTPCAP_")}
    arguments = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", "out", "--build-temp", "temp"]
    subprocess.run(
        arguments, cwd=cwd or folder, env={**more, "PWD": str(cwd or folder), **environment}, check=False, timeout=3600
    )


def only(folder: Path, pattern: str) -> bytes:
    """The one file of a kind."""
    (path,) = folder.rglob(pattern)
    return path.read_bytes()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder in which the probe was built."""
    folder = tmp_path_factory.mktemp("first")
    build(folder)
    return folder


def dynamic(octets: bytes) -> tuple[set[int], dict[int, int]]:
    """Kinds of the segments of an ELF file of 64 bits, and its dynamic entries."""
    assert octets[:6] == b"\x7fELF\x02\x01"
    (start,) = struct.unpack_from("<Q", octets, 32)
    size, count = struct.unpack_from("<HH", octets, 54)
    kinds: set[int] = set()
    entries: dict[int, int] = {}
    for at in range(start, start + size * count, size):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", octets, at)
        kinds.add(kind)
        if kind == LOAD_DYNAMIC:
            entries |= dict(struct.iter_unpack("<QQ", octets[offset : offset + length]))
    return kinds, entries


def test_builds_in_two_folders_are_bit_identical(built, tmp_path):
    """Also where the second is reached through a link."""
    second = tmp_path / "another, which has a longer name"
    link = tmp_path / "link"
    link.symlink_to(second)
    build(second, cwd=link)
    for pattern in ("probe.c", "probe*.so"):
        octets = only(second, pattern)
        assert octets == only(built, pattern)
        for name in (built, second, link):
            assert os.fsencode(name) not in octets


def test_addresses_are_bound_at_the_start_and_then_read_only(built):
    kinds, entries = dynamic(only(built, "probe*.so"))
    assert LOAD_RELRO in kinds
    assert entries.get(FLAGS, 0) & BIND_NOW
    assert entries.get(FLAGS_1, 0) & NOW


def test_copies_and_the_stack_are_checked(built):
    octets = only(built, "probe*.so")
    assert b"__stack_chk_fail\0" in octets
    assert b"__strcpy_chk\0" in octets
    (path,) = built.rglob("probe*.so")
    spec = importlib.util.spec_from_file_location("pptpcap.core.probe", path)
    assert spec is not None and spec.loader is not None
    probe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(probe)
    assert probe.level() == 3
    assert probe.copy(b"fifteen octets.") == ord(" ")
    assert probe.file() == b"build/cython/src/pptpcap/core/probe.c"


def test_sanitizers_see_every_copy(tmp_path):
    """A checked copy would be hidden from them.  Only what is compiled is looked at: their libraries may be missing."""
    folder = tmp_path / "debug"
    build(folder, PPTPCAP_DEBUG="1", CPPFLAGS="-D_FORTIFY_SOURCE=2")
    octets = only(folder / "temp", "probe.o")
    assert b"__asan_" in octets
    assert b"_chk\0" not in octets
