"""The command ``pptpcap``: commands over ``reading``, no decoding.

Imports click and the commands only when it is called.  Installed as a console script, and run by ``python -m pptpcap``.
"""

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code."""
    from .program import run

    run()
