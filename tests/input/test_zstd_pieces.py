"""zstd data in large pieces: the same octets, and the same damage at the same place, as block by block.

What cannot begin again is read block by block from the start; that is what is compared with.
"""

from __future__ import annotations

import random

import pytest
from commands import ALL15
from compressors import gzip_plain, lz4_plain, skippable, zstd, zstd_blocks, zstd_checked, zstd_plain
from test_containers_damage import stream
from test_units import read

import pptpcap
from pptpcap._input import codecs
from pptpcap._input.streams import MemoryInput
from pptpcap.errors import CaptureError

pytestmark = pytest.mark.slow

CAPTURE = ALL15.read_bytes()
NOISE = random.Random(1).randbytes(40_000)


def pieces(octets: bytes, *, again: bool) -> tuple[bytes, str]:
    """What is decompressed, and what is wrong behind it."""
    source = MemoryInput(octets)
    source.again = again
    made = bytearray()
    try:
        for piece in codecs.pieces(source, 32 << 20):
            made += piece
    except (codecs.DamageError, CaptureError) as error:
        return bytes(made), str(error)
    return bytes(made), ""


def same(octets: bytes) -> tuple[bytes, str]:
    once = pieces(octets, again=False)
    assert pieces(octets, again=True) == once
    return once


def frame(*blocks: bytes, window: int | None = None, size: int | None = None, kinds=None) -> bytes:
    """A frame of stored blocks, typed from RFC 8878: magic, flags, window octet, content size of 4 octets."""
    flags = (0x80 if size is not None else 0) | (0x20 if window is None else 0)
    head = b"\x28\xb5\x2f\xfd" + bytes([flags]) + (b"" if window is None else bytes([window]))
    head += b"" if size is None else size.to_bytes(4, "little")
    body = b""
    for number, block in enumerate(blocks, 1):
        body += (len(block) << 3 | (number == len(blocks))).to_bytes(3, "little") + block
    return head + body


WHOLE = frame(CAPTURE, size=len(CAPTURE))


def test_stored_blocks():
    parts = [NOISE[at : at + 1000] for at in range(0, 40_000, 1000)]
    assert same(frame(*parts, size=40_000)) == (NOISE, "")
    assert same(frame(*parts, window=0x40)) == (NOISE, "")
    assert same(frame(*parts, window=0x40) + skippable(7) + frame(*parts, b"", size=40_000)) == (NOISE * 2, "")


@pytest.mark.parametrize(
    ("found", "made", "words"),
    [
        # a window of 2 GiB, before one octet is given
        (frame(CAPTURE, window=0xA8), b"", "needs a window of"),
        (frame(CAPTURE, window=0xA8, size=len(CAPTURE)), b"", "needs a window of"),
        # a window of 1 KiB, of which no block may be larger
        (frame(CAPTURE, window=0), b"", "corrupt"),
        (frame(CAPTURE, window=0, size=len(CAPTURE)), b"", "corrupt"),
        # the last block is good, the frame is not as long as it said: so is the last of two
        (frame(CAPTURE, size=len(CAPTURE) + 1), b"", "corrupt"),
        (frame(NOISE[:600], NOISE[600:900], window=0, size=901), NOISE[:600], "corrupt"),
        # the same behind a frame that is good
        (WHOLE + frame(CAPTURE, window=0, size=len(CAPTURE)), CAPTURE, "corrupt"),
        (WHOLE + WHOLE[:-1], CAPTURE * 2, "cut"),
        (WHOLE[:3], b"", "octets behind"),
        (WHOLE[:5], b"", "cut"),
        (WHOLE[:12], b"", "cut"),
    ],
)
def test_damage(found, made, words):
    octets, damage = same(found)
    assert words in damage
    assert octets == (made if words != "cut" or not made else made[:-1])


@pytest.mark.parametrize("compress", [zstd_plain, zstd_checked, zstd_blocks])
def test_cut_or_changed_anywhere(compress):
    found = compress(CAPTURE[:3000] + NOISE[:2000])
    assert same(found) == (CAPTURE[:3000] + NOISE[:2000], "")
    for end in range(len(found)):
        same(found[:end])
    for place in range(len(found)):
        for bit in range(8):
            changed = bytearray(found)
            changed[place] ^= 1 << bit
            same(bytes(changed))


@pytest.mark.parametrize("level", [1, 3, 19])
def test_changed_in_large_frames(level):
    """Several pieces of input and of blocks, stored and compressed ones."""
    numbers = random.Random(level)
    found = zstd.compress(CAPTURE + numbers.randbytes(900_000) + CAPTURE * 100, level)
    for _ in range(40):
        changed = bytearray(found)
        changed[numbers.choice([numbers.randrange(12), numbers.randrange(len(found))])] ^= 1 << numbers.randrange(8)
        same(bytes(changed))
        same(bytes(found[: numbers.randrange(len(found))]))


def test_kinds_behind_one_another():
    parts = [WHOLE, gzip_plain(NOISE), lz4_plain(CAPTURE), skippable(3), zstd_checked(NOISE)]
    made = CAPTURE + NOISE + CAPTURE + NOISE
    assert same(b"".join(parts)) == (made, "")
    for end in range(0, sum(map(len, parts)), 997):
        same(b"".join(parts)[:end])


def test_a_small_block_that_is_very_large():
    """Blocks of one octet that stands for 128 KiB: what is given at once stays small."""
    blocks = b"".join(((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"x" for _ in range(400))
    found = b"\x28\xb5\x2f\xfd\x00\x58" + blocks + b"\x01\x00\x00"
    sizes = [len(piece) for piece in codecs.pieces(MemoryInput(found), 32 << 20)]
    assert sum(sizes) == 400 * (128 << 10)
    assert max(sizes) <= 1 << 20


@pytest.mark.parametrize(
    "found",
    [
        frame(CAPTURE, window=0xA8, size=len(CAPTURE)),
        frame(CAPTURE, window=0, size=len(CAPTURE)),
        frame(CAPTURE, window=0) + WHOLE,
        WHOLE + frame(CAPTURE, window=0, size=len(CAPTURE)),
        frame(CAPTURE[:3000], CAPTURE[3000:], size=len(CAPTURE) + 7),
    ],
)
def test_pipes_octets_and_threads(found):
    """Frames that say how long they are go to several threads, whole."""
    expected = read(stream(found), 1)
    for threads in (1, 2, 3):
        other = read(found, threads)
        if isinstance(expected, str):
            assert other == expected.replace("<stream>", "<bytes>")
            continue
        assert {name: rows.tobytes() for name, rows in other.items()} == {
            name: rows.tobytes() for name, rows in expected.items()
        }
    if not isinstance(expected, str):
        sizes = {pptpcap.read(source).summary.files[0].size for source in (found, stream(found))}
        assert len(sizes) == 1
