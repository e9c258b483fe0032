"""The options that choose rows: `messages` and `calls` print what `scan` finds, in both forms."""

from __future__ import annotations

import json

import pytest
from captures import lab
from commands import call, shell

import pptpcap

NAME = "multi8_clients.server.pcap"
TIMES = pptpcap.read(lab(NAME)).messages["time"]
MIDDLE, LATER = str(TIMES[len(TIMES) // 3]), str(TIMES[len(TIMES) // 2])
CLIENT = pptpcap.scan(lab(NAME), table="calls").to_polars()["pns_address"][1]
CASES = [
    (["--from", MIDDLE], {"time": (MIDDLE, None)}),
    (["--to", MIDDLE + "Z"], {"time": (None, MIDDLE)}),
    (["--from", MIDDLE, "--to", LATER], {"time": (MIDDLE, LATER)}),
    (["--address", CLIENT], {"address": CLIENT}),
    (["--address", "192.0.2.0/24"], {"address": "192.0.2.0/24"}),
    (["--address", f"{CLIENT}/32", "--address", "::/0"], {"address": [CLIENT, "::/0"]}),
    (["--call", "1", "--call", "3"], {"call": [1, 3]}),
    (["--connection", "2"], {"connection": 2}),
    (["--connection", "0", "--call", "0", "--from", "1999"], {"connection": 0, "call": 0}),
]
TYPES = [
    (["--message", "echo_request"], {"message": "echo_request"}),
    (
        ["--message", "echo_reply", "--message", "outgoing_call_reply"],
        {"message": ["echo_reply", "outgoing_call_reply"]},
    ),
]


def lines(command: str, *options: str) -> list[str]:
    code, out, _ = call(command, *options, lab(NAME))
    assert code == 0
    return out.splitlines()


@pytest.mark.parametrize(
    ("command", "key", "options", "conditions"),
    [
        *(("messages", "index", *case) for case in CASES + TYPES),
        *(("calls", "call", *case) for case in CASES),
    ],
)
def test_rows_that_scan_finds(command, key, options, conditions):
    scan = pptpcap.scan(lab(NAME), table=command).where(**conditions)
    rows = scan.to_polars()[scan.names[0]].to_list()
    documents = {json.loads(line)[key]: line for line in lines(command, "--json")}
    assert lines(command, "--json", *options) == [documents[row] for row in rows]
    if command == "messages":
        whole = lines(command)
        assert [line.split() for line in lines(command, *options)] == [whole[row].split() for row in rows]
    else:
        assert [line.split()[0] for line in lines(command, *options)[1:]] == list(map(str, rows))


def test_standard_input_is_read_once():
    done = shell(f"cat {lab(NAME)} | $P messages --address {CLIENT} -")
    assert done.stdout.splitlines() == lines("messages", "--address", CLIENT)
    assert done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["messages", "--from", "yesterday"], "time: 'yesterday' is no time such as"),
        (["calls", "--address", "10.0.0.0/40\x1b"], "address: '10.0.0.0/40\\\\x1b' is no address or network"),
        (["messages", "--call", "-1"], "'--call'"),
        (["messages", "--message", "echo"], "'--message'"),
        (["calls", "--message", "echo_request"], "No such option"),
        (["calls", "--audit", "--call", "0"], "--audit tells of all calls"),
    ],
)
def test_what_is_wrong_is_named(arguments, words):
    code, out, told = call(*arguments, lab(NAME))
    assert (code, out) == (2, "")
    assert words in told
