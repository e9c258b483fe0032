"""Write ``docs/man``: a page for the command ``pptpcap`` and one for each of its commands, from their help.

Knows how pages are written, and nothing of what commands do.  Run by ``make man``.  How click spells a range or a
choice differs between its versions, so a test compares names and examples, and not the pages.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

import pptpcap
from pptpcap.cli.program import program

TARGET = Path(__file__).parent.parent / "docs" / "man"
# What click takes as a word not to fill a paragraph.
AS_IT_STANDS = "\b\n"


def escaped(text: str) -> str:
    """Text in which nothing is a request or an escape of roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def paragraphs(text: str) -> Iterator[str]:
    """Paragraphs of help, filled or as they stand."""
    for part in re.split(r"\n{2,}", text.strip("\n")):
        if part.startswith(AS_IT_STANDS):
            yield f".PP\n.nf\n{escaped(part.removeprefix(AS_IT_STANDS))}\n.fi"
        else:
            yield f".PP\n{escaped(textwrap.fill(part, 100, break_on_hyphens=False))}"


def page(context: click.Context) -> str:
    """The page of a command."""
    command, path = context.command, context.command_path
    name = path.replace(" ", "-")
    text = inspect.cleandoc(command.help or "")
    short = re.split(r"[.:]\s", text + " ")[0].replace("\n", " ")
    usage = " ".join(command.collect_usage_pieces(context))
    sections = [
        f'.TH {escaped(name.upper())} 1 "" "pptpcap {pptpcap.__version__}" "pptpcap"',
        f".SH NAME\n{escaped(name)} \\- {escaped(short[:1].lower() + short[1:])}",
        f".SH SYNOPSIS\n\\fB{escaped(path)}\\fR {escaped(usage)}",
        "\n".join([".SH DESCRIPTION", *paragraphs(text)]),
        ".SH OPTIONS",
    ]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and record[1]:
            # A line may end behind each of many choices.
            names = escaped(record[0]).replace("|", "|\\:")
            sections.append(f".TP\n\\fB{names}\\fR\n{escaped(record[1])}")
    if isinstance(command, click.Group):
        sections.append(".SH COMMANDS")
        for one in command.list_commands(context):
            sections.append(f".TP\n\\fB{name}\\-{one}\\fR(1)\n{escaped(short_help(command, context, one))}")
    status, _, example = (command.epilog or "").rpartition(AS_IT_STANDS)
    if status:
        sections.append("\n".join([".SH EXIT STATUS", *paragraphs(status.partition(": ")[2])]))
    what, _, line = example.removeprefix("Example, ").partition("\n")
    shown = f"{escaped(what[:1].upper() + what[1:])}\n.PP\n.nf\n    {escaped(line.strip())}\n.fi"
    sections.append(f".SH EXAMPLE\n{shown}")
    if context.parent is not None:
        sections.append(".SH SEE ALSO\n\\fBpptpcap\\fR(1)")
    return "\n".join(sections) + "\n"


def short_help(group: click.Group, context: click.Context, name: str) -> str:
    """What a command does, in a sentence."""
    command = group.get_command(context, name)
    assert command is not None
    return command.get_short_help_str(200)


def pages() -> Iterator[tuple[str, str]]:
    """Name and text of each page."""
    context = click.Context(program, info_name="pptpcap", **program.context_settings)
    yield "pptpcap.1", page(context)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        assert command is not None
        yield f"pptpcap-{name}.1", page(click.Context(command, info_name=name, parent=context))


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.glob("*.1"):
        old.unlink()
    for name, text in pages():
        (TARGET / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
