"""Loss over time in a rotated set of captures: ``python examples/loss.py 'vpn.pcap*'``.

A lazy pipeline: nothing is read before ``collect``, and then only the columns that it names.
"""

import sys

import polars as pl

import pptpcap
from pptpcap.wire.status import GreStatus

# A packet that comes late was passed over once, so it is not lost.
late = (pl.col("status") & int(GreStatus.REORDERED) != 0).sum()

loss = (
    pptpcap.scan(sys.argv[1], table="gre")
    .to_polars(lazy=True)
    .filter(pl.col("sequence_number").is_not_null())
    .group_by("tunnel", pl.col("time").dt.truncate("10s"))
    .agg(packets=pl.len(), lost=pl.col("skipped").sum().cast(pl.Int64) - late)
    .filter(pl.col("lost") != 0)
    .sort("tunnel", "time")
)

for tunnel, time, packets, lost in loss.collect().iter_rows():
    print(f"tunnel {tunnel}  {time:%H:%M:%S}  {packets:4} packets, {lost:2} lost  {'#' * max(lost, 0)}")
