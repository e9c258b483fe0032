"""The examples tell of bundled captures what an independent walk of their packets tells.

That walk read Ethernet, IPv4 with its fragments, and sequence numbers of Enhanced GRE, and nothing of pptpcap.  It found
in the two captures of loss5_reorder_dup which numbers each end sent and received, and how many packets each minute and
each 10 seconds of the server's capture have.  Reasons and times of failed logins are those of the lab's README.
"""

from __future__ import annotations

import ast
import json
import runpy
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from captures import PACKED, lab
from cells import duckdb
from commands import call
from places import CAPTURES
from pyarrows import needs_pyarrow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LOSS = "loss5_reorder_dup.server.pcap"
FILES = [PACKED / f"{LOSS}.xz", PACKED / "auth_fail_mschapv2.pcap.xz", CAPTURES / "auth_fail_pap.pcap"]
FILES.append(PACKED / "multi8_clients.server.pcap.xz")
FROM_PNS = "21 31 35 39 46 52 68 83 90 100 110 154 169 178 196 197 271 291 306 310 316 318 332 342 346 347 348 350"
FROM_PAC = (
    "42 113 155 157 167 183 187 209 225 227 228 229 231 243 245 251 259 279 284 304 307 318 330 347 367 372 387 395"
)
# Of each 10 seconds from 12:53:10 on: packets of the PNS, and how many of its numbers were passed over for good.
PACKETS = [1, 31, 51, 66, 39, 11, 57, 40, 25, 4, 11, 2, 3]
LOST = [0, 2, 7, 3, 4, 0, 0, 4, 3, 4, 1, 0, 0]


@pytest.fixture
def run(monkeypatch, capsys):
    """Lines that a script prints."""

    def lines(name: str, *arguments: object) -> list[str]:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        printed: str = capsys.readouterr().out
        return printed.splitlines()

    return lines


def test_two_ends(run):
    assert run("two_ends.py", lab("loss5_reorder_dup.client.pcap"), lab(LOSS)) == [
        f"10.77.0.2 > 10.77.0.1, call id 0: 365 sent, 28 never came {FROM_PNS}",
        f"10.77.0.1 > 10.77.0.2, call id 64799: 415 sent, 28 never came {FROM_PAC}",
    ]


def test_loss_over_a_rotated_set(run, tmp_path):
    """As tcpdump -C names files: eleven, each with the header of the first."""
    octets, start, at, number = lab(LOSS).read_bytes(), 24, 24, 0
    for packet in range(1, 1279):
        at += 16 + int.from_bytes(octets[at + 8 : at + 12], "little")
        if packet % 120 == 0 or at == len(octets):
            (tmp_path / f"vpn.pcap{number or ''}").write_bytes(octets[:24] + octets[start:at])
            start, number = at, number + 1
    assert (at, number) == (len(octets), 11)
    assert run("loss.py", tmp_path / "vpn.pcap*") == [
        f"tunnel 0  12:{53 + place // 6}:{place % 6 * 10:02}  {packets:4} packets, {lost:2} lost  {'#' * lost}"
        for place, (packets, lost) in enumerate(zip(PACKETS, LOST, strict=True), 1)
        if lost
    ]


@needs_pyarrow
def test_calls_in_sql(tmp_path, monkeypatch):
    assert call("convert", "--quiet", "--sort", "-o", tmp_path / "tables", *FILES)[0] == 0
    monkeypatch.chdir(tmp_path / "tables")
    with duckdb.connect() as database:
        statements = (EXAMPLES / "calls.sql").read_text().split(";\n")
        assert statements.pop() == ""
        _zone, *found = [database.execute(statement).fetchall() for statement in statements]
    # 341 and 415 packets arrived, and 28 did not.
    assert found[0] == [(0, "10.77.0.2", "10.77.0.1", 28, 3.6)]
    assert [row[:3] for row in found[1]] == [("10.77.0.2", "MS_CHAP_V2", 1), ("10.77.0.2", "PAP", 1)]
    minutes = [(time.astimezone(UTC), packets, lost) for time, packets, lost in found[2]]
    assert minutes == [
        (datetime(2026, 11, 22, 12, 53, tzinfo=UTC), 401, 16),
        (datetime(2026, 11, 22, 12, 54, tzinfo=UTC), 345, 12),
        # 10 of the call, and 11 and 10 of the failed logins.
        (datetime(2026, 11, 22, 12, 55, tzinfo=UTC), 31, 0),
        (datetime(2026, 11, 22, 12, 58, tzinfo=UTC), 22, 0),
        (datetime(2026, 11, 22, 12, 59, tzinfo=UTC), 1005, 0),
        (datetime(2026, 11, 22, 13, 0, tzinfo=UTC), 415, 0),
    ]


@pytest.mark.slow
def test_the_notebook(tmp_path, monkeypatch, capsys):
    """Its cells in order, as a notebook runs them, in the folder in which it lies."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.chdir(EXAMPLES)
    notebook = json.loads(Path("calls.ipynb").read_text())
    names: dict[str, Any] = {}
    shown = []
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        # What a run leaves behind is not committed.
        assert cell["outputs"] == [] and cell["execution_count"] is None
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "calls.ipynb", "exec"), names)
        if isinstance(last, ast.Expr):
            shown.append(eval(compile(ast.Expression(last.value), "calls.ipynb", "eval"), names))
    table, top, failed = shown
    assert table["pns_address"].tolist()[:4] == ["10.77.0.2"] * 3 + ["10.77.0.11"]
    assert len(table) == 13
    assert next(top.itertuples(index=False, name=None)) == ("10.77.0.2", 28, 3.6)
    assert top.index.tolist() == [0, 1, 2]
    assert names["loss"].tolist() == LOST
    (line,) = names["axes"].get_lines()
    assert line.get_ydata().tolist() == LOST
    assert failed["authentication"].tolist() == ["MS_CHAP_V2", "PAP"]
    assert str(failed["start_time"].iloc[0]) == "2026-11-22 12:55:26.560322+00:00"
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("call 1: ended: login failed (691: authentication failure), PAC first")
    assert second.startswith("call 2: ended: login failed, PNS first")
    names["axes"].figure.savefig(tmp_path / "loss.png")
    assert (tmp_path / "loss.png").stat().st_size > 5000
    sys.modules["matplotlib.pyplot"].close("all")
