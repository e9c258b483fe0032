"""Completion in a shell: prints the script for it, and answers the script.

Knows the protocol of click's scripts.  Must not know commands.
"""

from __future__ import annotations

import sys

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from .._show.escaping import escape
from .exits import FINE

__all__ = ["answer", "completion"]

# Of the environment, by which a script asks.
_VARIABLE = "_PPTPCAP_COMPLETE"


class _Bash(BashComplete):
    """For bash, which takes --name=value for three words, and completes the last one."""

    def source(self) -> str:
        """The script; without a look for bash, which may be another one than that of the person."""
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        """Words in front, and the one to complete."""
        words, incomplete = super().get_completion_args()
        return [word for word in words if word != "="], incomplete


class _Whole(ShellComplete):
    """For shells that take --name=value for one word, and replace all of it."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Items as the shell is to insert them."""
        items = super().get_completions(args, incomplete)
        name, equals, _ = incomplete.partition("=")
        if equals and name.startswith("--"):
            for item in items:
                item.value = f"{name}={item.value}" if item.type == "plain" else item.value
        return items


class _Zsh(_Whole, ZshComplete):
    pass


class _Fish(_Whole, FishComplete):
    # The items of a list have commas.
    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def completion(shell: str) -> int:
    """Print the script for a shell."""
    print(_complete(click.get_current_context().find_root().command, shell).source())
    return FINE


def answer(program: click.Command, asked: str) -> int:
    """Answer the script of a shell, which asks with the variable of the environment."""
    shell, _, what = asked.partition("_")
    if shell not in _SHELLS or what not in ("source", "complete"):
        known = ", ".join(f"{name}_source" for name in _SHELLS)
        raise click.UsageError(f"{_VARIABLE} is {escape(asked)!r}, and none of {known}.")
    complete = _complete(program, shell)
    said = complete.source() if what == "source" else complete.complete()
    sys.stdout.write(f"{said}\n" if said else "")
    return FINE


def _complete(program: click.Command, shell: str) -> ShellComplete:
    return _SHELLS[shell](program, {}, "pptpcap", _VARIABLE)
