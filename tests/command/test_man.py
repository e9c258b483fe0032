"""The manual pages: what the help says, in roff.  ``make man`` writes them anew."""

from __future__ import annotations

import inspect
import re
import tomllib

import click
import pytest
from places import ROOT
from test_help import EXAMPLES
from test_start import COMMANDS

import pptpcap
from pptpcap.cli.program import program

FOLDER = ROOT / "docs" / "man"


def plain(text: str) -> str:
    """The words of a page, without requests and escapes."""
    lines = [line for line in text.splitlines() if not re.match(r"\.(?!SH)", line)]
    for escape, meant in (("\\-", "-"), ("\\&", ""), ("\\fB", ""), ("\\fR", ""), ("\\:", ""), ("\\e", "\\")):
        lines = [line.replace(escape, meant) for line in lines]
    return " ".join(" ".join(lines).split())


def words(text: str | None) -> str:
    assert text
    return " ".join(inspect.cleandoc(text).replace("\b", "").split())


def test_each_command_has_a_page_that_is_installed():
    assert {path.name for path in FOLDER.iterdir()} == {"pptpcap.1", *(f"pptpcap-{name}.1" for name in COMMANDS)}
    files = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    assert files == {"share/man/man1": ["docs/man/*.1"]}


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_a_page_says_what_the_help_says(name):
    context = click.Context(program, info_name="pptpcap", **program.context_settings)
    command = program.get_command(context, name) if name else program
    assert command is not None
    text = (FOLDER / (f"pptpcap-{name}.1" if name else "pptpcap.1")).read_text()
    page = plain(text)
    assert f'"pptpcap {pptpcap.__version__}"' in text.splitlines()[0]
    assert f".SH NAME pptpcap{'-' * bool(name)}{name} - " in page
    assert words(command.help) in page
    for option in command.get_params(context):
        if isinstance(option, click.Option):
            for one in option.opts:
                assert re.search(rf"{one}[ ,].*{re.escape(words(option.help))}", page), one
    assert page.split(".SH EXAMPLE ")[1].split(".SH")[0].strip().endswith(EXAMPLES[name][0])
    if not name:
        assert "3 finished but the input is damaged" in page
        for other in COMMANDS:
            assert f"pptpcap-{other}(1)" in page
    # A line that begins with a point or an apostrophe, or a backslash, would be a request or an escape.
    assert {*re.findall(r"^\.\w+", text, re.MULTILINE)} <= {".TH", ".SH", ".PP", ".TP", ".nf", ".fi"}
    assert not re.search(r"^'", text, re.MULTILINE)
    assert {*re.findall(r"\\.", text)} <= {"\\-", "\\f", "\\e", "\\&", "\\:"}
