"""Logins with MS-CHAP: what CHAP packets of a call say, and whether a password answers them (RFC 1994, 2433, 2759).

Knows the bodies of Challenge, Response and Failure.  The password is asked here and nowhere else; it is in no
representation, error or row.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TypeVar

from . import mschap
from .mppe import KeyChain
from .outcome import Outcome

__all__ = ["Login", "Password"]

_CHALLENGE = 1
_RESPONSE = 2
_FAILURE = 4
_RESPONSE_SIZE = 49
_V1_CHALLENGE = 8
_V2_CHALLENGE = 16
# Tries of one call that are remembered.
_TRIES = 8
# Octets of a name; RFC 2759 section 4 has 256 letters, and a domain may stand before them.
_LONGEST_NAME = 1_024
# What a Response takes beside the name.
_RESPONSE_OCTETS = 512


class Password:
    """The hashes of the user's password, made once for all calls.

    Parameters
    ----------
    password : str
        In clear; it is not kept.

    Raises
    ------
    ImportError
        Where the extra ``decrypt`` is not installed.
    """

    __slots__ = ("lm_hash", "nt_hash")

    def __init__(self, password: str) -> None:
        self.nt_hash = mschap.nt_password_hash(password)
        self.lm_hash = mschap.lm_password_hash(password)

    def __repr__(self) -> str:
        return "Password(...)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a password is not written down")


Try = TypeVar("Try")


@dataclass(frozen=True, slots=True)
class _Response:
    """One Response, of the peer on `side`."""

    side: int
    value: bytes = field(repr=False)
    name: bytes = field(repr=False)


class Login:
    """What the two sides of one call said of themselves.

    Parameters
    ----------
    password : Password or None
        None where there is none.
    """

    __slots__ = ("_challenges", "_failed", "_password", "_responses")

    def __init__(self, password: Password | None) -> None:
        self._password = password
        self._challenges: tuple[list[bytes], list[bytes]] = ([], [])
        self._responses: list[_Response] = []
        # Testing the password is slow, and the result stays the same until the next CHAP packet.
        self._failed: Outcome | None = None

    @property
    def octets(self) -> int:
        """Octets that it holds."""
        return sum(_RESPONSE_OCTETS + len(response.name) for response in self._responses)

    def read(self, side: int, code: int, data: bytes) -> None:
        """Take in one CHAP packet that `side` sent."""
        self._failed = None
        if code == _FAILURE:
            again = _challenge_of_failure(data)
            if again:
                _remember(self._challenges[side], again)
            return
        if not data or len(data) < 1 + data[0]:
            return
        value, name = data[1 : 1 + data[0]], data[1 + data[0] :]
        if code == _CHALLENGE and len(value) in (_V1_CHALLENGE, _V2_CHALLENGE):
            _remember(self._challenges[side], value)
        elif code == _RESPONSE and len(value) == _RESPONSE_SIZE and len(name) <= _LONGEST_NAME:
            _remember(self._responses, _Response(side, value, name))

    def chains(self, side: int, bits: int) -> list[KeyChain] | Outcome:
        """Possible start keys for what `side` sends, or why there are none."""
        if self._password is None:
            return Outcome.ENCRYPTED
        if self._failed is not None:
            return self._failed
        tried = False
        for response in reversed(self._responses):
            for challenge in reversed(self._challenges[1 - response.side]):
                tried = True
                starts = _starts(self._password, challenge, response, to_peer=side != response.side, bits=bits)
                if starts:
                    return [KeyChain(start, bits) for start in starts]
        self._failed = Outcome.WRONG_PASSWORD if tried else Outcome.NO_LOGIN
        return self._failed


def _remember(tries: list[Try], one: Try) -> None:
    if len(tries) == _TRIES:
        del tries[0]
    tries.append(one)


def _starts(password: Password, challenge: bytes, response: _Response, *, to_peer: bool, bits: int) -> list[bytes]:
    """Start keys; none if the password does not answer the challenge."""
    length = 16 if bits == 128 else 8
    if len(challenge) == _V2_CHALLENGE:
        peer, answer = response.value[:16], response.value[24:48]
        hashed = mschap.challenge_hash(peer, challenge, response.name)
        if not hmac.compare_digest(mschap.challenge_response(hashed, password.nt_hash), answer):
            return []
        master = mschap.master_key(password.nt_hash, answer)
        return [mschap.asymmetric_start_key(master, length, to_peer=to_peer)]
    lm_answer, nt_answer, uses_nt = response.value[:24], response.value[24:48], response.value[48]
    answer, key = (nt_answer, password.nt_hash) if uses_nt else (lm_answer, password.lm_hash)
    if not hmac.compare_digest(mschap.challenge_response(challenge, key), answer):
        return []
    from_nt = mschap.start_key_v1(password.nt_hash, challenge, length)
    # RFC 3079 section 2 takes weak keys from the LM hash; pppd takes all from the NT hash.
    return [from_nt] if bits == 128 else [password.lm_hash[:8], from_nt]


def _challenge_of_failure(message: bytes) -> bytes:
    """The challenge in a Failure for another try, or empty (RFC 2759 section 6)."""
    for word in message.split():
        if word.startswith(b"C=") and len(word) in (2 + 2 * _V1_CHALLENGE, 2 + 2 * _V2_CHALLENGE):
            try:
                return bytes.fromhex(word[2:].decode("ascii"))
            except ValueError:
                return b""
    return b""
