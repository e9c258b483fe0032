"""PPP control packets against the independent walk over real captures; skipped where the captures are not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import Decoded
from test_oracle import FILES, REFERENCES, decoded, expected

from pptpcap.wire.status import PppStatus

pytestmark = pytest.mark.skipif(not REFERENCES, reason="no shared captures beside the repository")

# The walk leaves out, by definition: link quality reports, and packets without a sequence number.
LEFT_OUT = PppStatus.NO_HEAD | PppStatus.NO_SEQUENCE


def walked(row: dict[str, Any]) -> tuple[Any, ...]:
    values = tuple((kind, size, int(data[:16] or "0", 16)) for kind, size, data in row.get("options") or ())
    return (row["n"], row["proto"], row["code"], row["id"], row["length"], values)


def rows(got: Decoded, multilink: bool) -> list[tuple[Any, ...]]:
    options: dict[int, list[tuple[int, int, int]]] = {}
    for of, kind, size, value in got["ppp_options"].tolist():
        options.setdefault(of, []).append((kind, size, value))
    return [
        (
            int(row["packet"]), int(row["protocol"]), int(row["code"]), int(row["identifier"]), int(row["length"]),
            tuple(options.get(number, ())),
        )
        for number, row in enumerate(got["ppp"])
        if not row["status"] & LEFT_OUT and bool(row["status"] & PppStatus.MULTILINK) == multilink
    ]  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize(("name", "multilink"), [("ppp", False), ("ppp_in_mp", True)])
def test_control_packets(engine, path: Path, name, multilink):
    try:
        got = decoded(path, engine)
    except ValueError:
        pytest.skip("a format that is refused by name")
    assert rows(got, multilink) == [walked(row) for row in expected(path)[name]]


def test_there_are_some():
    assert sum(len(expected(path)["ppp"]) for path in FILES) > 1000
