"""Traffic that the benchmarks run on: seeded, vectorised, with the right answer counted beside it.

Knows the wire from the RFCs only and imports nothing of ``pptpcap``, so a wrong definition there cannot make a wrong
expectation here.
"""
