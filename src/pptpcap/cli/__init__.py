"""The entry point of the command ``pptpcap``.

Imports click and the commands when it is called, not before.  Must not decode.
"""

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit code.

    The process belongs to it: SIGINT, SIGTERM and SIGHUP are handled from here on.
    """
    try:
        from . import signals

        signals.handle(signals.leave)
        from .program import run
    except KeyboardInterrupt:
        # Ctrl-C came before the handler.
        raise SystemExit(130) from None
    run()
