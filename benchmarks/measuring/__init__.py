"""How the benchmarks measure: the floor, the engines in processes of their own, the machine, and the tables of a run.

Knows nothing of what a workload is made of.
"""
