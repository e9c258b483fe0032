"""Print some arrays of a capture: ``python examples/arrays.py FILE``."""

import sys

import numpy as np

import pptpcap

capture = pptpcap.read(sys.argv[1])
print(capture)

print("\ncapture.messages, some columns:")
print(capture.messages[["packet", "control_message_type", "length", "segments"]][:5])

print("\nwhat the outgoing calls asked for:")
print(capture.outgoing_call_request[["call_id", "minimum_bps", "maximum_bps"]])

print("\noctets of PPP in each GRE tunnel, in each second:")
gre = capture.gre
second = (gre["time"] - gre["time"].min()) // np.timedelta64(1, "s") if len(gre) else gre["time"].astype(np.int64)
for tunnel in np.unique(gre["tunnel"]):
    here = gre["tunnel"] == tunnel
    print(f"  tunnel {tunnel}:", np.bincount(second[here], weights=gre["payload_length"][here]).astype(int))
