"""``pptpcap convert``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ...wire.tables import BY_NAME
from ..options import Name, choosing, files_and_options
from ..running import run

__all__ = ["FORMATS", "PARTITIONS", "convert"]

_EXAMPLE = """\b
Example, the calls as a CSV file:
  pptpcap convert --format csv --table calls -o tables vpn.pcap"""

# Those of the package `export`, which needs NumPy.
FORMATS = ("parquet", "arrow", "csv", "jsonl", "npy")
PARTITIONS = ("day", "hour")


@click.command(epilog=_EXAMPLE)
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="FOLDER",
    required=True,
    type=click.Path(file_okay=False),
    help="Folder for the files.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="parquet",
    show_default=True,
    help="Format of the files.",
)
@click.option(
    "--table",
    "tables",
    metavar="TABLE",
    type=Name("table", lambda: [*BY_NAME]),
    multiple=True,
    help="Write only this table; may be repeated.",
)
@click.option("--only", is_flag=True, help="Remove the tables of earlier conversions that are not written now.")
@click.option("--codes", is_flag=True, help="Write numbers in place of their names.")
@click.option(
    "--community-seed",
    type=click.IntRange(0, 0xFFFF),
    default=0,
    show_default=True,
    help="Seed of the Community IDs of connections and tunnels.",
)
@click.option(
    "--partition",
    type=click.Choice(PARTITIONS),
    help="Write the rows of events to a file for each day or hour (UTC), in a folder for each table.",
)
@click.option("--identities", is_flag=True, help="Include the user names of both sides of calls.")
@click.option(
    "--each",
    is_flag=True,
    help="Convert each FILE alone, into a folder of its name inside FOLDER; equal names get folders in front.",
)
@choosing(None)
@click.option("--overwrite", is_flag=True, help="Replace tables of another conversion.")
@click.option("--quiet", is_flag=True, help="Print nothing but what is wrong.")
@files_and_options
def convert(**told: Any) -> int:
    """Write each table of the FILEs to a file in FOLDER, and a summary to capture.json.

    Tables that the same version wrote before, of the same FILEs and with the same options, are not written again.  Of
    each table those rows are written that fulfil all options that choose.  A table whose rows cannot fulfil one is left
    out, such as connections of --call.
    """
    return run("convert", **told)
