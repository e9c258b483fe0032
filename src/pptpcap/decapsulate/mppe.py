"""MPPE: the cipher of one direction, kept in step by coherency counts (RFC 3078, 3079).

Knows no PPP but the two octets in front of each datagram, and asks its caller whether plain text can be right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from .mschap import primitive

__all__ = [
    "BIT_40",
    "BIT_56",
    "BIT_128",
    "COMPRESSED",
    "ENCRYPTED",
    "FLUSHED",
    "STATELESS",
    "KeyChain",
    "Mppe",
    "key_bits",
]

# Supported bits of the CCP option (RFC 3078 section 2.1).
STATELESS = 0x01000000
BIT_128 = 0x40
BIT_56 = 0x80
BIT_40 = 0x20

# The word in front of a datagram (RFC 3078 section 3).
FLUSHED = 0x8000
COMPRESSED = 0x2000
ENCRYPTED = 0x1000
_COUNT = 0x0FFF
_COUNTS = 0x1000
# The key of a session with state changes before each packet whose count ends so (RFC 3078 section 7.2).
_FLAG = 0xFF

# Keys of stateless packets that are kept for those that come late.
_KEPT = 64
# Key changes that may be spent on packets with invalid plain text; after that, only near counts are tried.
_PATIENCE = 1 << 16
_NEAR = 64
# More than one turn of the counter may be lost.
_TURNS = 3
# Some senders change the key at each reset; others only reset the cipher, as the RFC says.
_RESETS = 4

_PAD1 = bytes(40)
_PAD2 = b"\xf2" * 40

Plausible: TypeAlias = Callable[[bytes, int], int]
# The best possible score.
_CERTAIN = 2


def key_bits(supported: int) -> int:
    """The strength that an answer selects: 128, 56 or 40; 0 unless it has exactly one."""
    chosen = supported & (BIT_128 | BIT_56 | BIT_40)
    return {BIT_128: 128, BIT_56: 56, BIT_40: 40}.get(chosen, 0)


class KeyChain:
    """The session keys of one direction, each made from the one before.

    Parameters
    ----------
    start : bytes
        Start key: 16 octets for 128 bits, 8 for 56 and 40.
    bits : int
        128, 56 or 40.
    """

    __slots__ = ("_salt", "_start", "key")

    def __init__(self, start: bytes, bits: int) -> None:
        self._start = start
        self._salt = {128: b"", 56: b"\xd1", 40: b"\xd1\x26\x9e"}[bits]
        self.key = self._salted(self._mixed(start))

    def copy(self) -> KeyChain:
        """An independent copy."""
        other: KeyChain = object.__new__(KeyChain)
        other._start, other._salt, other.key = self._start, self._salt, self.key
        return other

    def step(self) -> bytes:
        """Change the key (RFC 3078 section 7.3); the new one."""
        interim = self._mixed(self.key)
        self.key = self._salted(_rc4(interim).encrypt(interim))
        return self.key

    def _mixed(self, key: bytes) -> bytes:
        mixed = hashlib.sha1(self._start + _PAD1 + key + _PAD2, usedforsecurity=False)
        return mixed.digest()[: len(self._start)]

    def _salted(self, key: bytes) -> bytes:
        return self._salt + key[len(self._salt) :]


class Mppe:
    """The receiving half of one direction.

    Parameters
    ----------
    chains : sequence of KeyChain
        Where keys may start; the first packet that makes sense decides.
    stateless : bool
        The key changes with every packet.
    sequence : int
        Sequence number of the packet that agreed on this; each encrypted packet has one above.
    """

    # Octets that it holds: 64 keys with their places in a dict, and a cipher.
    OCTETS = 16 << 10

    __slots__ = ("_chains", "_cipher", "_count", "_patience", "_recent", "_sequence", "_stateless")

    def __init__(self, chains: Sequence[KeyChain], *, stateless: bool, sequence: int) -> None:
        self._chains = list(chains)
        self._stateless = stateless
        self._sequence = sequence
        self._count = _COUNT
        self._recent: dict[int, bytes] = {}
        self._patience = _PATIENCE
        self._cipher: Any = _rc4(self._chains[0].key)

    def decrypt(
        self, word: int, octets: bytes, missing: int, sequence: int, plausible: Plausible, *, late: bool
    ) -> bytes | None:
        """The plain text of one datagram, None if the cipher is out of step.

        Parameters
        ----------
        word : int
            Flags and coherency count.
        octets : bytes
            What stands behind them.
        missing : int
            Octets that were sent behind those and not captured.
        sequence : int
            Sequence number of the packet.
        plausible : callable
            How well plain text looks, of which so many octets are missing: 0 not at all, 2 at best.
        late : bool
            The packet is behind others that were given already.
        """
        count = word & _COUNT
        if self._stateless:
            if late:
                return self._late(count, octets, missing, plausible)
            return self._ahead(count, octets, missing, sequence, plausible)
        if late:
            return None
        if word & FLUSHED:
            return self._flushed(count, octets, missing, plausible)
        return self._next(count, octets, missing, plausible)

    def _late(self, count: int, octets: bytes, missing: int, plausible: Plausible) -> bytes | None:
        key = self._recent.get(count)
        plain: bytes | None = _rc4(key).decrypt(octets) if key is not None else None
        return plain if plain is not None and plausible(plain, missing) else None

    def _ahead(self, count: int, octets: bytes, missing: int, sequence: int, plausible: Plausible) -> bytes | None:
        # Counts cannot go faster than sequence numbers do.
        most = (sequence - self._sequence) & 0xFFFFFFFF
        if self._patience <= 0:
            most = min(most, _NEAR)
        nearest = (count - self._count) & _COUNT or _COUNTS
        best: tuple[int, bytes, KeyChain, list[bytes]] | None = None
        for steps in range(nearest, min(most, nearest + _TURNS * _COUNTS) + 1, _COUNTS):
            for chain in self._chains:
                trial = chain.copy()
                keys = [trial.step() for _ in range(steps)]
                plain: bytes = _rc4(trial.key).decrypt(octets)
                looks = plausible(plain, missing)
                # A leap must be verified, or an injected packet would move the count.
                if looks > (best[0] if best else 0) and (looks == _CERTAIN or steps <= _NEAR):
                    best = looks, plain, trial, keys[-_KEPT:]
                if looks == _CERTAIN:
                    break
                self._patience -= steps
            if best and best[0] == _CERTAIN:
                break
        if best is None:
            return self._late(count, octets, missing, plausible)
        _, plain, trial, keys = best
        self._chains = [trial]
        self._remember(count, keys)
        self._count, self._sequence = count, sequence
        return plain

    def _remember(self, count: int, keys: list[bytes]) -> None:
        if len(keys) == _KEPT:
            # All other kept keys are older.
            self._recent.clear()
        for back, key in enumerate(reversed(keys)):
            self._recent[(count - back) & _COUNT] = key
        for step in range(len(keys)):
            self._recent.pop((count - step - _KEPT) & _COUNT, None)

    def _flushed(self, count: int, octets: bytes, missing: int, plausible: Plausible) -> bytes | None:
        ahead = (count - self._count) & _COUNT
        changes = sum(((self._count + step) & _FLAG) == _FLAG for step in range(1, ahead + 1))
        best: tuple[int, bytes, KeyChain, Any] | None = None
        for resets in range(_RESETS):
            for chain in self._chains:
                trial = chain.copy()
                for _ in range(changes + resets):
                    trial.step()
                cipher = _rc4(trial.key)
                plain: bytes = cipher.decrypt(octets)
                looks = plausible(plain, missing)
                if looks > (best[0] if best else 0):
                    best = looks, plain, trial, cipher
        if best is None:
            self._cipher = None
            return None
        _, plain, trial, cipher = best
        self._chains = [trial]
        self._keep(cipher, count, missing)
        return plain

    def _next(self, count: int, octets: bytes, missing: int, plausible: Plausible) -> bytes | None:
        if self._cipher is None or count != (self._count + 1) & _COUNT:
            self._cipher = None
            return None
        plain: bytes = self._cipher.decrypt(octets)
        if not plausible(plain, missing):
            self._cipher = None
            return None
        self._keep(self._cipher, count, missing)
        return plain

    def _keep(self, cipher: Any, count: int, missing: int) -> None:
        # Bytes that were not captured advanced the sender's cipher too.
        cipher.decrypt(bytes(missing))
        self._cipher, self._count = cipher, count


def _rc4(key: bytes) -> Any:
    return primitive("Cipher.ARC4").new(key)
