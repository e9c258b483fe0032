"""MS-CHAP and the start keys of MPPE, against the values that RFC 2433, 2759 and 3079 print."""

from __future__ import annotations

import pickle
import sys

import pytest

from pptpcap.decapsulate import mschap
from pptpcap.decapsulate.login import Login, Password
from pptpcap.decapsulate.mppe import BIT_40, BIT_56, BIT_128, KeyChain, key_bits
from pptpcap.decapsulate.outcome import Outcome

octets = bytes.fromhex

# RFC 2759 section 9.2.
AUTHENTICATOR = octets("5B5D7C7D7B3F2F3E3C2C602132262628")
PEER = octets("21402324255E262A28295F2B3A337C7E")
NT_RESPONSE = octets("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")
NT_HASH = octets("44EBBA8D5312B8D611474411F56989AE")
RESPONSE = b"\x31" + PEER + bytes(8) + NT_RESPONSE + b"\0"


def chains(login: Login, side: int, bits: int) -> list[KeyChain]:
    """The start keys, of which there are some."""
    found = login.chains(side, bits)
    assert isinstance(found, list)
    return found


def test_md4():
    # RFC 1320 section A.5.
    assert mschap.md4(b"abc") == octets("A448017AAF21D8525FC10AE87AA6729D")


def test_version_two():
    assert mschap.nt_password_hash("clientPass") == NT_HASH
    assert mschap.md4(NT_HASH) == octets("41C00C584BD2D91C4017A2A12FA59F3F")
    challenge = mschap.challenge_hash(PEER, AUTHENTICATOR, b"User")
    assert challenge == octets("D02E4386BCE91226")
    assert mschap.challenge_response(challenge, NT_HASH) == NT_RESPONSE


def test_the_domain_does_not_count():
    assert mschap.challenge_hash(PEER, AUTHENTICATOR, b"BIGCO\\User") == octets("D02E4386BCE91226")


def test_version_one():
    # RFC 2433 appendix B, and a widely known LM hash.
    hashed = mschap.nt_password_hash("MyPw")
    assert hashed == octets("FC156AF7EDCD6C0EDDE3337D427F4EAC")
    answer = mschap.challenge_response(octets("102DB5DF085D3041"), hashed)
    assert answer == octets("4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61")
    assert mschap.lm_password_hash("password") == octets("E52CAC67419A9A224A3B108F3FA6CB6D")
    assert mschap.lm_password_hash("clientPass") == octets("76A152936096D7830E2390227404AFD2")


def test_start_key_of_version_one():
    # RFC 3079 section 2.5.3.
    key = mschap.start_key_v1(NT_HASH, octets("102DB5DF085D3041"), 16)
    assert key == octets("A8947850CFC0ACC1D1789FB62DDCDDB0")
    assert KeyChain(key, 128).key == octets("59D159BC09F76F1DA2A86A28FFEC0B1E")


@pytest.mark.parametrize(
    ("bits", "start", "session", "encrypted"),
    [
        (40, "8B7CDC149B993A1B", "D1269EC49FA62E3E", "929137917E5803D668D75898"),
        # The RFC prints 58 for the last octet, which the key that it prints does not give.
        (56, "8B7CDC149B993A1B", "D15C00C49FA62E3E", "3F106833FA448DA842BC57B8"),
        (128, "8B7CDC149B993A1BA118CB153F56DCCB", "405CB2247A7956E6E211007AE27B22D4", "81848317DF68846272FB5ABE"),
    ],
)
def test_keys_of_version_two(bits, start, session, encrypted):
    # RFC 3079 section 3.5: what the server sends.
    master = mschap.master_key(NT_HASH, NT_RESPONSE)
    assert master == octets("FDECE3717A8C838CB388E527AE3CDD31")
    key = mschap.asymmetric_start_key(master, 16 if bits == 128 else 8, to_peer=True)
    assert key == octets(start)
    chain = KeyChain(key, bits)
    assert chain.key == octets(session)
    cipher = mschap.primitive("Cipher.ARC4").new(chain.key)
    assert cipher.encrypt(b"test message") == octets(encrypted)


def test_each_strength_alone():
    assert [key_bits(bit | 0x01000001) for bit in (BIT_128, BIT_56, BIT_40)] == [128, 56, 40]
    assert key_bits(BIT_128 | BIT_40) == key_bits(0) == key_bits(0x10) == 0


# ---- logins


def login(password="clientPass", response=RESPONSE, name=b"User", challenge=b"\x10" + AUTHENTICATOR + b"server"):
    """A login of side 0 at side 1."""
    made = Login(None if password is None else Password(password))
    made.read(1, 1, challenge)
    made.read(0, 2, response + name)
    return made


def test_a_login_gives_keys_for_both_sides():
    (to_peer,) = login().chains(1, 128)
    (to_server,) = login().chains(0, 128)
    assert to_peer.key == octets("405CB2247A7956E6E211007AE27B22D4")
    assert to_server.key not in (to_peer.key, octets("8B7CDC149B993A1BA118CB153F56DCCB"))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (login(None), Outcome.ENCRYPTED),
        (login("clientpass"), Outcome.WRONG_PASSWORD),
        (login(name=b"user"), Outcome.WRONG_PASSWORD),
        (login(response=b""), Outcome.NO_LOGIN),
        (login(challenge=b"\x11" + AUTHENTICATOR), Outcome.NO_LOGIN),
        (login(response=RESPONSE[:-1], name=b""), Outcome.NO_LOGIN),
    ],
)
def test_no_keys_and_why(made, expected):
    assert made.chains(0, 128) is expected


def test_another_try_after_a_failure():
    made = login(None, challenge=b"\x10" + bytes(16))
    made._password = Password("clientPass")
    assert made.chains(0, 128) is Outcome.WRONG_PASSWORD
    made.read(1, 4, b"E=691 R=1 C=" + AUTHENTICATOR.hex().upper().encode() + b" V=3 M=no")
    assert len(chains(made, 0, 128)) == 1


def test_a_failure_that_holds_no_challenge():
    for message in (b"", b"C=", b"C=" + b"zz" * 16, b"C=" + b"\xff" * 32, b"E=691 R=0"):
        made = login("other")
        made.read(1, 4, message)
        assert made.chains(0, 128) is Outcome.WRONG_PASSWORD


def test_version_one_logs_in_with_either_response():
    challenge = octets("102DB5DF085D3041")
    answer = octets("4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61")
    made = Login(Password("MyPw"))
    made.read(1, 1, b"\x08" + challenge)
    made.read(0, 2, b"\x31" + bytes(24) + answer + b"\x01name")
    assert len(chains(made, 0, 128)) == 1
    # Weak keys come from the LM hash by the RFC, from the other one by pppd.
    assert len(chains(made, 0, 40)) == len(chains(made, 1, 56)) == 2
    made = Login(Password("MyPw"))
    made.read(1, 1, b"\x08" + challenge)
    made.read(0, 2, b"\x31" + bytes(24) + answer + b"\x00name")
    assert made.chains(0, 128) is Outcome.WRONG_PASSWORD


# ---- the secret


def test_a_password_is_not_shown_and_not_written_down():
    password = Password("clientPass")
    assert repr(password) == str(password) == "Password(...)"
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(password)
    assert "clientPass" not in repr([getattr(password, name) for name in password.__slots__])
    assert "82309ECD".lower() not in repr(login()._responses).lower()


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "Cryptodome.Hash.MD4", None)
    with pytest.raises(ImportError, match=r"pptpcap\[decrypt\]"):
        Password("clientPass")
