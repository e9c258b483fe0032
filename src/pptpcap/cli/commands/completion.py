"""``pptpcap completion``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ..running import run

__all__ = ["completion"]

_EXAMPLE = """\b
Example, for the present shell alone:
  source <(pptpcap completion bash)"""


@click.command(epilog=_EXAMPLE)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(**told: Any) -> int:
    """Print a script that lets a shell complete commands, options, names of tables, choices and files.

    \b
    bash  pptpcap completion bash > ~/.local/share/bash-completion/completions/pptpcap
    zsh   pptpcap completion zsh > _pptpcap, in a folder of $fpath, in front of compinit
    fish  pptpcap completion fish > ~/.config/fish/completions/pptpcap.fish

    bash has to be 4.4 or newer.
    """  # noqa: D301
    return run("completion", **told)
