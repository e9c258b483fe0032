"""The commands: their options and their help, without what they do.

Must not import NumPy, so that help and completion come at once.
"""
