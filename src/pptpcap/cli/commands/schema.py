"""``pptpcap schema``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ...wire.tables import BY_NAME
from ..options import Name
from ..running import run

__all__ = ["schema"]

_EXAMPLE = """\b
Example, what the columns of calls mean:
  pptpcap schema calls"""


@click.command(epilog=_EXAMPLE)
@click.argument("table", required=False, type=Name("table", lambda: [*BY_NAME]))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def schema(**told: Any) -> int:
    """List the tables, or the columns of TABLE: type, unit, meaning, RFC section, tshark's name."""
    return run("schema", **told)
