"""``pptpcap completion``: its options and its help."""

from __future__ import annotations

from typing import Any

import click

from ..running import run

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(**told: Any) -> int:
    r"""Print a script that lets a shell complete commands, options, names of tables, choices and files.

    \b
    bash  pptpcap completion bash > ~/.local/share/bash-completion/completions/pptpcap
    zsh   pptpcap completion zsh > _pptpcap, in a folder of $fpath, in front of compinit
    fish  pptpcap completion fish > ~/.config/fish/completions/pptpcap.fish

    bash has to be 4.4 or newer.  For the present shell alone: source <(pptpcap completion bash).
    """
    return run("completion", **told)
