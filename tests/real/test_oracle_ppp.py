"""PPP control packets against the independent walk over real captures."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import Decoded
from test_oracle import FILES, decoded, expected

from pptpcap.wire.status import PppStatus

pytestmark = pytest.mark.slow

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


@pytest.mark.parametrize("capture", FILES)
@pytest.mark.parametrize(("name", "multilink"), [("ppp", False), ("ppp_in_mp", True)])
def test_control_packets(engine, capture: str, name, multilink):
    assert rows(decoded(capture, engine), multilink) == [walked(row) for row in expected(capture)[name]]


def test_there_are_some():
    assert sum(len(expected(capture)["ppp"]) for capture in FILES) > 1000
