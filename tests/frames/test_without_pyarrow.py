"""What ``make without-pyarrow`` shows is shown where there is none."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from places import CAPTURES
from pyarrows import IS_LEFT_OUT, needs_pyarrow

TOOL = Path(__file__).resolve().parents[2] / "tools" / "without.py"
# Frames of each library, rows that DuckDB asks for, and the names of what was imported.
SCRIPT = """
import sys, duckdb, pptpcap
scan = pptpcap.scan(sys.argv[1], table="gre")
frames = scan.to_pandas(), scan.to_polars(), scan.to_polars(lazy=True).collect()
print(*map(len, frames), *duckdb.sql("select count(*) from scan").fetchall())
try:
    scan.to_arrow()
except ImportError as error:
    print(error)
print(sys.prefix != sys.argv[2], "pyarrow" in sys.modules)
"""


def test_pyarrow_is_left_out_where_it_is_said_to_be():
    assert (find_spec("pyarrow") is None) == IS_LEFT_OUT


@needs_pyarrow
def test_an_environment_that_is_made_without_it(tmp_path):
    subprocess.run([sys.executable, TOOL, "pyarrow", tmp_path / "env"], check=True)
    run = [tmp_path / "env" / "bin" / "python", "-c", SCRIPT, CAPTURES / "mss88.pcap", sys.prefix]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "57 57 57 (57,)",
        "this needs pyarrow: pip install 'pptpcap[arrow]'",
        "True False",
    ]
