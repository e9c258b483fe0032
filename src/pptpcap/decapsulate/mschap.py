"""MS-CHAP: hashes of a password, responses to a challenge, and the keys that MPPE starts from (RFC 2433, 2759, 3079).

Knows no packet.  The ciphers come from the extra ``decrypt`` and are imported where they are used.
"""

from __future__ import annotations

import hashlib
import importlib
from typing import Any

__all__ = [
    "asymmetric_start_key",
    "challenge_hash",
    "challenge_response",
    "lm_password_hash",
    "master_key",
    "md4",
    "nt_password_hash",
    "primitive",
    "start_key_v1",
]

_PAD1 = bytes(40)
_PAD2 = b"\xf2" * 40
# RFC 3079 section 3.4.
_MASTER = b"This is the MPPE Master Key"
_TO_AUTHENTICATOR = b"On the client side, this is the send key; on the server side, it is the receive key."
_TO_PEER = b"On the client side, this is the receive key; on the server side, it is the send key."
_LM_TEXT = b"KGS!@#$%"
_LM_LENGTH = 14


def primitive(name: str) -> Any:
    """A module of the library for ciphers, such as ``"Hash.MD4"``.

    Raises
    ------
    ImportError
        Where the extra is not installed; the words name it.
    """
    try:
        return importlib.import_module(f"Cryptodome.{name}")
    except ImportError as error:
        raise ImportError(
            "decryption needs pycryptodomex: pip install 'pptpcap[decrypt]'", name="Cryptodome"
        ) from error


def md4(octets: bytes) -> bytes:
    """MD4 of the octets, 16 octets."""
    digest: bytes = primitive("Hash.MD4").new(octets).digest()
    return digest


def nt_password_hash(password: str) -> bytes:
    """NtPasswordHash (RFC 2759 section 8.3), 16 octets."""
    return md4(password.encode("utf-16-le", "surrogatepass"))


def lm_password_hash(password: str) -> bytes:
    """LmPasswordHash (RFC 2433 appendix A), 16 octets; letters that the code page lacks become question marks."""
    key = password.upper().encode("cp437", "replace")[:_LM_LENGTH].ljust(_LM_LENGTH, b"\0")
    return _des(key[:7], _LM_TEXT) + _des(key[7:], _LM_TEXT)


def challenge_hash(peer_challenge: bytes, authenticator_challenge: bytes, user_name: bytes) -> bytes:
    """ChallengeHash (RFC 2759 section 8.2), 8 octets; the domain before the user name does not count."""
    name = user_name.rpartition(b"\\")[2]
    return hashlib.sha1(peer_challenge + authenticator_challenge + name, usedforsecurity=False).digest()[:8]


def challenge_response(challenge: bytes, password_hash: bytes) -> bytes:
    """ChallengeResponse (RFC 2759 section 8.5): 24 octets from 8 of a challenge and 16 of a hash."""
    key = password_hash.ljust(21, b"\0")
    return b"".join(_des(key[at : at + 7], challenge) for at in (0, 7, 14))


def master_key(password_hash: bytes, nt_response: bytes) -> bytes:
    """GetMasterKey (RFC 3079 section 3.4), 16 octets."""
    return hashlib.sha1(md4(password_hash) + nt_response + _MASTER, usedforsecurity=False).digest()[:16]


def asymmetric_start_key(master: bytes, length: int, *, to_peer: bool) -> bytes:
    """GetAsymmetricStartKey (RFC 3079 section 3.4): for what the authenticator sends `to_peer`, or receives."""
    magic = _TO_PEER if to_peer else _TO_AUTHENTICATOR
    return hashlib.sha1(master + _PAD1 + magic + _PAD2, usedforsecurity=False).digest()[:length]


def start_key_v1(password_hash: bytes, challenge: bytes, length: int) -> bytes:
    """GetStartKey (RFC 3079 section 2.3) from the NT hash, for both directions."""
    twice = md4(password_hash) * 2
    return hashlib.sha1(twice + challenge, usedforsecurity=False).digest()[:length]


def _des(key: bytes, text: bytes) -> bytes:
    """DES with a key of 7 octets; the parity bits are nobody's business."""
    bits = int.from_bytes(key, "big")
    spread = bytes((bits >> shift & 0x7F) << 1 for shift in range(49, -1, -7))
    cipher = primitive("Cipher.DES")
    encrypted: bytes = cipher.new(spread, cipher.MODE_ECB).encrypt(text)
    return encrypted
