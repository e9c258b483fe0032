"""The help of each command ends with an example, and the example works."""

from __future__ import annotations

import os
import shutil

import pytest
from commands import MSS88, call, installed, shell
from test_start import COMMANDS

# The example of each command, which reads a capture of the name vpn.pcap, and what a line begins with that it prints.
EXAMPLES = {
    "": ("pptpcap info vpn.pcap", "    15,764 octets, 109 packets"),
    "calls": (
        "pptpcap calls --columns call,pns_address,pns_lost --order-by -pns_lost --limit 10 vpn.pcap",
        "0     10.77.0.2    0",
    ),
    "completion": ("source <(pptpcap completion bash)", "complete -o nosort -F _pptpcap_completion pptpcap"),
    "convert": ("pptpcap convert --format csv --table calls -o tables vpn.pcap", "  1  calls"),
    "decapsulate": ("pptpcap decapsulate --call 0 -o inner.pcap vpn.pcap", "  31  PPP control packets"),
    "extract": ("pptpcap extract --call 0 -o call.pcapng vpn.pcap", "104 of 109 packets"),
    "info": ("pptpcap info --format tsv vpn.pcap | grep ^counters", "counters.gre_packets\t57"),
    "messages": (
        "pptpcap messages --message outgoing_call_request --columns time,source_address,call_id vpn.pcap",
        "2026-11-22T13:02:54.835268000Z  10.77.0.2       18458",
    ),
    "report": ("pptpcap report -o vpn.html vpn.pcap", ""),
    "schema": ("pptpcap schema calls", "calls: one row per call;"),
    "trace": (
        "pptpcap trace --call 0 vpn.pcap",
        "call 0: PNS 10.77.0.2 id 18458, PAC 10.77.0.1 id 0; MS-CHAPv2, accepted; MPPE 128 stateless",
    ),
}
# The file that it writes.
MADE = {"convert": "tables/calls.csv", "decapsulate": "inner.pcap", "extract": "call.pcapng", "report": "vpn.html"}


def test_every_command_has_an_example():
    assert [*EXAMPLES] == ["", *COMMANDS]


@pytest.mark.parametrize("command", EXAMPLES)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_ends_with_the_example(command, option):
    code, out, err = call(*([command] if command else []), option)
    assert (code, err) == (0, "")
    *_, head, last = out.splitlines()
    assert head.startswith("  Example, ")
    assert head.endswith(":")
    assert last == f"    {EXAMPLES[command][0]}"
    assert out.count("Example") == 1


@pytest.mark.parametrize("command", EXAMPLES)
def test_the_example_works(command, tmp_path):
    path = installed(tmp_path / "bin")
    work = tmp_path / "work"
    work.mkdir()
    shutil.copy(MSS88, work / "vpn.pcap")
    line, printed = EXAMPLES[command]
    # What a shell was told prints nothing by itself.
    more = "; complete -p pptpcap" if command == "completion" else ""
    run = shell(line + more, cwd=work, env={**os.environ, "PATH": path})
    assert (run.returncode, run.stderr) == (0, "")
    assert any(line.startswith(printed) for line in run.stdout.split("\n"))
    assert {name for name in MADE.values() if (work / name).is_file()} == {
        *([MADE[command]] if command in MADE else [])
    }
