"""The command `extract`: its options are those of the function, and what is wrong is named."""

from __future__ import annotations

import os

import pytest
from captures import lab
from commands import MSS88, call, shell
from places import CAPTURES

import pptpcap

NAME = "multi8_clients.server.pcap"
TIMES = pptpcap.read(lab(NAME)).messages["time"]
MIDDLE, LATER = str(TIMES[len(TIMES) // 3]), str(TIMES[len(TIMES) // 2])
CLIENT = pptpcap.scan(lab(NAME), table="calls").to_polars()["pns_address"][1]
CASES = [
    ([], {}),
    (["--call", "1", "--call", "3"], {"call": [1, 3]}),
    (["--connection", "2"], {"connection": 2}),
    (["--address", CLIENT], {"address": CLIENT}),
    (["--from", MIDDLE, "--to", LATER], {"time": (MIDDLE, LATER)}),
    (["--to", LATER, "--call", "1"], {"time": (None, LATER), "call": 1}),
    (["--packets", "5,7-9"], {"packets": [5, 7, 8, 9]}),
    (["--packets", "5", "--packets", "300-"], {"packets": [5, range(300, 1 << 40)]}),
]


@pytest.mark.parametrize(("options", "named"), CASES, ids=[" ".join(options) or "none" for options, _ in CASES])
def test_options(tmp_path, options, named):
    by_command, by_function = tmp_path / "one.pcap", tmp_path / "other.pcap"
    code, out, err = call("extract", lab(NAME), "-o", by_command, *options)
    done = pptpcap.extract(lab(NAME), by_function, **named)
    assert (code, err) == (0, "")
    assert out == f"{done.packets:,} of {done.summary.packets:,} packets\n"
    assert by_command.read_bytes() == by_function.read_bytes()


def test_issues(tmp_path):
    shared = CAPTURES / "found" / "nat_same_callid.pcap"
    done = pptpcap.extract(shared, tmp_path / "other.pcap", issue=["SHARED_ID", "GAP"])
    code, out, _ = call("extract", shared, "-o", tmp_path / "one.pcap", "--issue", "SHARED_ID", "--issue", "GAP")
    assert (code, out) == (0, f"{done.packets} of {done.summary.packets} packets\n")
    assert (tmp_path / "one.pcap").read_bytes() == (tmp_path / "other.pcap").read_bytes()


def test_standard_output(tmp_path):
    """It is pcapng; what is said goes elsewhere."""
    pptpcap.extract(MSS88, tmp_path / "out", call=0)
    done = shell(f"$P extract {MSS88} --call 0 -o - > {tmp_path}/piped && cmp {tmp_path}/piped {tmp_path}/out")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "104 of 109 packets\n")
    assert (
        shell(f"$P extract {MSS88} -o - | $P calls - | tail -n 1").stdout
        == shell(f"$P calls {MSS88} | tail -n 1").stdout
    )
    assert shell(f"$P extract {MSS88} -o - | true").returncode in (0, 141)


def test_a_damaged_capture(tmp_path):
    damaged = tmp_path / "in.pcap"
    damaged.write_bytes(MSS88.read_bytes()[:-5])
    code, out, err = call("extract", damaged, "-o", tmp_path / "out")
    assert (code, out) == (3, "103 of 108 packets\n")
    assert err.startswith(f"pptpcap: {damaged}: damaged: ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--call", "1"], "there is no call 1; the capture has 1, counted from 0"),
        (["--packets", "110"], "there is no packet 110; the capture has 109, counted from 1"),
        (["--packets", "5,x\x1b"], "'x\\\\x1b' is no packet or range of packets such as 5, 7-9 or 20-."),
        (["--packets", "9-7"], "'9-7' is no packet"),
        (["--packets", "0"], "'0' is no packet"),
        (["--packets", "1,,2"], "'' is no packet"),
        (["--issue", "GAPS\x1b"], "there is no 'GAPS\\\\x1b'"),
        (["--issue", "ZEROES"], "did you mean 'ZEROS'?"),
        (["--issue", "ZEROS"], "ZEROS concerns no packet"),
        (["--address", "192.0.2.0/24"], "nothing is chosen: no packet of the capture fulfils all conditions"),
        (["--from", "yesterday"], "time: 'yesterday' is no time such as"),
        (["--message", "echo_request"], "No such option"),
        (["-"], "standard input can be read only once"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(tmp_path, arguments, words):
    code, out, err = call("extract", MSS88, "-o", tmp_path / "out", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert "\x1b" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_output(tmp_path):
    out = tmp_path / "out.pcap"
    assert call("extract", MSS88)[0] == 2
    assert call("extract", MSS88, "-o", tmp_path)[0] == 2
    out.write_bytes(b"before")
    said = f"pptpcap: {out}: is there already, and is not to be overwritten\n"
    assert call("extract", MSS88, "-o", out) == (1, "", said)
    assert out.read_bytes() == b"before"
    assert call("extract", MSS88, "-o", out, "--overwrite")[0] == 0
    code, _, err = call("extract", MSS88, out, "-o", out, "--overwrite")
    assert code == 2 and "one of the files that are read" in err
    code, _, err = call("extract", MSS88, lab("fmt_nsec.pcap"), "-o", tmp_path / "two.pcap")
    assert code == 2 and "a pcap file cannot hold more than one byte order, unit of time" in err
    assert os.listdir(tmp_path) == ["out.pcap"]
