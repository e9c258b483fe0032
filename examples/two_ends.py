"""What one end of a path sent and the other never got: ``python examples/two_ends.py PNS_SIDE PAC_SIDE``.

Two captures of the same calls: one at the client (PNS), one at the server (PAC).
"""

import sys

import polars as pl

import pptpcap

PACKET = ["source", "destination", "call_id", "sequence_number"]


def packets(path: str) -> pl.DataFrame:
    """Enhanced GRE with a sequence number, beside the tunnel that it is of."""
    table = pptpcap.read(path).joined("gre", "tunnels").to_polars()
    return table.filter(pl.col("sequence_number").is_not_null()).select(
        pl.col("tunnel_source").cast(pl.String).alias("source"),
        pl.col("tunnel_destination").cast(pl.String).alias("destination"),
        *("call_id", "sequence_number", "time", pl.col("tunnel_from_pns").alias("from_pns")),
    )


at_pns, at_pac = (packets(path) for path in sys.argv[1:3])
from_pns = pl.col("from_pns")
sent = pl.concat([at_pns.filter(from_pns), at_pac.filter(~from_pns)]).unique(PACKET, keep="first", maintain_order=True)
received = pl.concat([at_pac.filter(from_pns), at_pns.filter(~from_pns)])
never_got = sent.join(received, on=PACKET, how="anti", maintain_order="left")

for (source, destination, call_id), flow in sent.group_by(PACKET[:3], maintain_order=True):
    lost = never_got.filter(source=source, destination=destination, call_id=call_id)["sequence_number"].to_list()
    print(f"{source} > {destination}, call id {call_id}: {len(flow)} sent, {len(lost)} never came", *lost)
