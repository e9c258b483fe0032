"""``mirrors=`` and ``--mirror-port``, and what ``info`` says of carriers that are not followed."""

from __future__ import annotations

import pytest
from commands import call
from places import CAPTURES

import pptpcap

JMIRROR = CAPTURES / "found" / "tunnel_jmirror.pcap"
TOLD = "37 packets of JMIRROR are not followed; --mirror-port jmirror=PORT follows them"


def test_info_says_what_follows_them():
    _, out, _ = call("info", JMIRROR)
    assert TOLD in out
    assert "packet 1, offset 24" in out
    code, out, _ = call("info", "--mirror-port", "jmirror=30030", JMIRROR)
    assert code == 0
    assert "UNFOLLOWED" not in out


@pytest.mark.parametrize("command", ["info", "messages", "calls", "trace"])
def test_every_command_that_reads_takes_ports(command):
    assert call(command, "--mirror-port", "jmirror=30030", "--mirror-port", "vxlan=5000", JMIRROR)[0] == 0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("jmiror=30030", "there is no mirror 'jmiror'; did you mean 'jmirror'?"),
        ("30030", "'30030' is not KIND=PORT, such as vxlan=4800"),
        ("jmirror=", "'jmirror=' is not KIND=PORT"),
        ("jmirror=x", "'jmirror=x' is not KIND=PORT"),
        ("jmirror=65536", "ports of jmirror must be from 1 to 65535, not 65536"),
        ("erspan=1", "there is no mirror 'erspan'; there are gre, mpls, vxlan"),
    ],
)
def test_a_value_that_is_none(value, said):
    code, _, error = call("info", "--mirror-port", value, JMIRROR)
    assert code == 2
    assert said in " ".join(error.split())


@pytest.mark.parametrize(
    ("mirrors", "said"),
    [
        ({"vxlam": 1}, "there is no mirror 'vxlam'; did you mean 'vxlan'?"),
        ({"vxlan": 0}, "ports of vxlan must be from 1 to 65535, not 0"),
        ({"vxlan": (4800, 65536)}, "not 65536"),
    ],
)
def test_an_argument_that_is_none(mirrors, said):
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        pptpcap.read(JMIRROR, mirrors=mirrors)


def test_ports_are_numbers():
    with pytest.raises(TypeError):
        pptpcap.read(JMIRROR, mirrors={"vxlan": ["http"]})  # type: ignore[list-item]


@pytest.mark.parametrize("ports", [30030, [30030], (port for port in (30029, 30030)), range(30000, 30031)])
def test_ports_of_a_kind(ports):
    assert len(pptpcap.read(JMIRROR, mirrors={"jmirror": ports}).gre) == 20


def test_decapsulated(tmp_path):
    """What is inside calls is the same, whatever is around them."""
    found = []
    for name in ("base.pcap", "tunnel_vxlan.pcap", "tunnel_jmirror.pcap"):
        target = tmp_path / name
        code, _, _ = call("decapsulate", "-o", target, "--mirror-port", "jmirror=30030", CAPTURES / "found" / name)
        found.append((code, target.read_bytes()))
    assert found[0][0] == 0
    assert found[0] == found[1] == found[2]


def test_converted(tmp_path):
    call("convert", "--format", "csv", "-o", tmp_path / "out", "--mirror-port", "jmirror=30030", JMIRROR)
    assert len((tmp_path / "out" / "gre.csv").read_text().splitlines()) == 1 + 20
