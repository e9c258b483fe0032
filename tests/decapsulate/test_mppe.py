"""MPPE in step: counts, loss, late packets, resets; the sender is written here from RFC 3078 alone."""

from __future__ import annotations

import hashlib

import pytest
from Cryptodome.Cipher import ARC4

from pptpcap.decapsulate.inner import plausible
from pptpcap.decapsulate.mppe import KeyChain, Mppe

# RFC 3079 section 3.5.3.
START = bytes.fromhex("8B7CDC149B993A1BA118CB153F56DCCB")
# PPP protocol 0021 and an IPv4 header of protocol 59 without data, then 4 octets of padding for numbers.
IPV4 = bytes.fromhex("002145000014000100004 03b0000 0a000001 0a000002".replace(" ", ""))


class Sender:
    """Encrypts as RFC 3078 sections 7 and 8 say; `resets_change` as some senders do: the key changes at a reset too."""

    def __init__(self, start=START, salt=b"", *, stateless, resets_change=False):
        self.start, self.salt, self.stateless, self.resets_change = start, salt, stateless, resets_change
        self.count = -1
        self.reset = True
        self.key = self.salted(self.mixed(start))

    def mixed(self, key):
        return hashlib.sha1(self.start + bytes(40) + key + b"\xf2" * 40).digest()[: len(self.start)]

    def salted(self, key):
        return self.salt + key[len(self.salt) :]

    def change(self):
        interim = self.mixed(self.key)
        self.key = self.salted(ARC4.new(interim).encrypt(interim))

    def send(self, plain=IPV4):
        self.count += 1
        flushed = self.stateless or self.reset or self.count & 0xFF == 0xFF
        if self.stateless or self.count & 0xFF == 0xFF or (self.reset and self.resets_change):
            self.change()
        if flushed:
            self.cipher = ARC4.new(self.key)
        self.reset = False
        return (0x8000 if flushed else 0) | 0x1000 | self.count & 0xFFF, self.cipher.encrypt(plain)


def receiver(stateless, start=START, bits=128, decoys=0):
    chains = [KeyChain(bytes(len(start)), bits) for _ in range(decoys)] + [KeyChain(start, bits)]
    return Mppe(chains, stateless=stateless, sequence=100)


def take(mppe, sent, sequence, late=False, missing=0):
    word, octets = sent
    return mppe.decrypt(word, octets[: len(octets) - missing], missing, sequence, plausible, late=late)


@pytest.mark.parametrize(("bits", "salt"), [(128, ""), (56, "D1"), (40, "D1269E")])
@pytest.mark.parametrize("stateless", [True, False])
def test_every_packet_of_more_than_a_turn_of_the_counter(bits, salt, stateless):
    start = START if bits == 128 else START[:8]
    sender = Sender(start, bytes.fromhex(salt), stateless=stateless)
    mppe = receiver(stateless, start, bits, decoys=1)
    for sequence in range(101, 101 + 4_500):
        assert take(mppe, sender.send(), sequence) == IPV4


def test_stateless_loss_and_late_packets():
    sender = Sender(stateless=True)
    sent = [sender.send() for _ in range(400)]
    mppe = receiver(True)
    for index in (0, 1, 5, 300):
        assert take(mppe, sent[index], 101 + index) == IPV4
    assert take(mppe, sent[299], 400, late=True) == IPV4
    assert take(mppe, sent[237], 338, late=True) == IPV4
    # Further behind than keys are kept.
    assert take(mppe, sent[236], 337, late=True) is None
    assert take(mppe, sent[301], 402) == IPV4


def test_stateless_loss_of_more_than_a_turn():
    sender = Sender(stateless=True)
    mppe = receiver(True)
    assert take(mppe, sender.send(), 101) == IPV4
    for _ in range(5_000):
        lost = sender.send()
    assert take(mppe, lost, 101 + 5_000) == IPV4


def test_counts_do_not_go_faster_than_sequence_numbers():
    sender = Sender(stateless=True)
    mppe = receiver(True)
    first, second, third = sender.send(), sender.send(), sender.send()
    assert take(mppe, third, 101) is None
    assert take(mppe, first, 101) == IPV4
    assert take(mppe, second, 102) == IPV4


def test_what_makes_no_sense_moves_nothing():
    sender = Sender(stateless=True)
    mppe = receiver(True)
    assert take(mppe, sender.send(), 101) == IPV4
    assert take(mppe, (0x9FFF, bytes(40)), 6_000) is None
    assert take(mppe, sender.send(), 102) == IPV4


def test_far_counts_are_tried_only_so_often(monkeypatch):
    steps = []
    step = KeyChain.step

    def counted(chain):
        steps.append(1)
        return step(chain)

    monkeypatch.setattr(KeyChain, "step", counted)
    sender = Sender(stateless=True)
    mppe = receiver(True)
    assert take(mppe, sender.send(), 101) == IPV4
    for number in range(2_000):
        take(mppe, (0x9FFF, bytes(40)), 20_000 + 5_000 * number)
    assert len(steps) < 3 * 65_536
    assert take(mppe, sender.send(), 102) == IPV4


@pytest.mark.parametrize("resets_change", [False, True])
def test_stateful_loss_waits_for_a_flush(resets_change):
    sender = Sender(stateless=False, resets_change=resets_change)
    mppe = receiver(False)
    assert [take(mppe, sender.send(), 101 + n) for n in range(3)] == [IPV4] * 3
    lost = sender.send()
    assert [take(mppe, sender.send(), 105 + n) for n in range(2)] == [None] * 2
    assert take(mppe, lost, 104, late=True) is None
    sender.reset = True
    assert [take(mppe, sender.send(), 107 + n) for n in range(300)] == [IPV4] * 300


@pytest.mark.parametrize("lost", [1, 254, 255, 256, 257, 600])
def test_stateful_keys_that_changed_meanwhile(lost):
    sender = Sender(stateless=False)
    mppe = receiver(False)
    assert take(mppe, sender.send(), 101) == IPV4
    for _ in range(lost):
        sender.send()
    sender.reset = True
    assert [take(mppe, sender.send(), 102 + lost + n) for n in range(3)] == [IPV4] * 3


@pytest.mark.parametrize("stateless", [True, False])
def test_octets_that_were_not_captured(stateless):
    sender = Sender(stateless=stateless)
    mppe = receiver(stateless)
    assert take(mppe, sender.send(), 101, missing=5) == IPV4[:-5]
    assert take(mppe, sender.send(), 102) == IPV4


def test_a_packet_of_nobody_does_not_take_the_count_away():
    sender = Sender(stateless=True)
    mppe = receiver(True)
    assert take(mppe, sender.send(), 101) == IPV4
    # Some of these look like a protocol of which nothing can be compared.
    for number in range(500):
        take(mppe, (0x9000 | 40, number.to_bytes(2, "big") * 20), 160)
    assert [take(mppe, sender.send(), 161 + n) for n in range(80)] == [IPV4] * 80
