"""What the octets mean: frozen data, standard library only, no loop over packets.

Everything else in the package is derived from this folder; it imports nothing of the package.
"""
