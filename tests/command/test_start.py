"""What a command imports before it reads: nothing slow for the version, help, the schema and a word on usage."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import click
import pytest
from commands import MSS88, call

from pptpcap.cli.commands import convert
from pptpcap.cli.program import program
from pptpcap.export import FORMATS, Partition

COMMANDS = program.list_commands(click.Context(program))
# What takes long to import, and what a command may need of it.
SLOW = {"numpy", "tqdm", "pptpcap.core", "pptpcap.engine", "pptpcap.export", "pptpcap._input.opening"}
SEEN = """
import sys
from pptpcap.cli import main
sys.argv = ["pptpcap", *sys.argv[1:]]
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def loaded(*arguments: object) -> set[str]:
    """Modules that a command has imported when it ends."""
    run = subprocess.run(
        [sys.executable, "-c", SEEN, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return set(run.stderr.split())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--version"],
        ["--help"],
        ["nope"],
        ["schema"],
        ["schema", "gre", "--json"],
        ["schema", "nope"],
        ["convert", "--format", "nope"],
        *([name, "--help"] for name in COMMANDS),
    ],
    ids=" ".join,
)
def test_nothing_slow_is_imported_where_nothing_is_read(arguments):
    modules = loaded(*arguments)
    assert "click" in modules
    assert not modules & SLOW


def test_a_command_imports_what_it_does_and_no_other_command():
    modules = loaded("info", MSS88)
    assert {"numpy", "pptpcap.cli.info"} <= modules
    others = {
        "pptpcap.export.conversion",
        "pptpcap.decapsulate",
        "pptpcap._extract",
        "pptpcap.diagnosis",
        "pyarrow",
        "numpy.ma",
    }
    assert not modules & {*others, "pptpcap.cli.calls", "pptpcap._reading.lazy", "pptpcap.reference", "tqdm"}


def test_choices_are_those_of_the_library():
    assert (*FORMATS,) == convert.FORMATS
    assert get_args(Partition) == convert.PARTITIONS


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cals"], "No such command 'cals'; did you mean 'calls'?"),
        (["schema", "mesages"], "there is no table 'mesages'; did you mean 'messages'?"),
        (["schema", "\x1b[31m"], "there are messages, start_control_connection_request"),
        (["convert", "--table", "gree", "-o", "x", MSS88], "there is no table 'gree'; did you mean 'gre'?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(arguments, words):
    code, out, told = call(*arguments)
    assert (code, out) == (2, "")
    assert words in told
    assert "\x1b" not in told
