"""The scripts for other tools find the fields that the engine finds, where the tools are installed.

Knows the scripts' rows; of each segment of this capture a message is the whole.
"""

from __future__ import annotations

import importlib
import ipaddress
from pathlib import Path
from typing import Any

import generate
import peers
import pytest
from generate import Parameters
from measuring import answers

import pptpcap


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, answers.Answer]:
    path = tmp_path_factory.mktemp("captures") / "tunnel.pcap"
    return path, answers.promised(generate.generate(Parameters("tunnel", 1 << 18), path))


@pytest.mark.parametrize("name", peers.PEERS)
def test_counts_are_as_promised(name: str, made: tuple[Path, answers.Answer]) -> None:
    if why := peers.absent(name):
        pytest.skip(f"{name}: {why}")
    path, expected = made
    peer: Any = importlib.import_module(f"peers.{name}")
    answers.require(name, peer.answer(peer.read(path)), expected)
    assert peers.version(name)


@pytest.mark.parametrize("name", peers.LIBRARIES)
def test_fields_are_those_of_the_engine(name: str, made: tuple[Path, answers.Answer]) -> None:
    if why := peers.absent(name):
        pytest.skip(f"{name}: {why}")
    peer: Any = importlib.import_module(f"peers.{name}")
    _, control, tunnelled = peer.read(made[0])
    capture = pptpcap.read(made[0])
    gre = capture.gre
    assert [row[0] for row in tunnelled] == gre["packet"].tolist()
    assert [row[4] for row in tunnelled] == gre["call_id"].tolist()
    assert [row[5] or 0 for row in tunnelled] == gre["sequence_number"].tolist()
    assert [row[6] or 0 for row in tunnelled] == gre["acknowledgment_number"].tolist()
    calls = {int(ipaddress.ip_address(row[2])) for row in tunnelled}
    assert len(calls) == 36
    first_of_segment = dict(zip(reversed(capture.messages["packet"].tolist()), reversed(_kinds(capture)), strict=True))
    assert {row[0]: row[6] for row in control if row[6] is not None} == first_of_segment
    replies = {row[0]: row[7:9] for row in control if row[6] == 8}
    rows = capture["outgoing_call_reply"]
    packets = capture.messages["packet"][rows["message"]].tolist()
    assert replies == dict(zip(packets, zip(rows["call_id"], rows["peer_call_id"], strict=True), strict=True))


def _kinds(capture: pptpcap.Capture) -> list[int]:
    kinds: list[int] = capture.messages["control_message_type"].tolist()
    return kinds
