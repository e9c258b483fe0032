"""The house's own rules, and that the documents say what the program does.

The rules are in ``tools/lint.py``; here they are part of the suite.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
import tomllib

import pytest
from places import ROOT

import pptpcap
from pptpcap._show import words
from pptpcap.capture import _Counters
from pptpcap.cli.info import _COUNTERS
from pptpcap.engine import COUNTERS
from pptpcap.wire.status import Kind
from pptpcap.wire.tables import TABLES


def _lint():
    spec = importlib.util.spec_from_file_location("lint", ROOT / "tools" / "lint.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LINT = _lint()


@pytest.mark.parametrize("rule", LINT.RULES, ids=lambda rule: rule.__name__)
def test_rule_of_the_house(rule):
    assert list(rule()) == []


def complaints_about(tmp_path, monkeypatch, files: dict[str, str]) -> list[str]:
    package = tmp_path / "src" / "pptpcap"
    for name, text in files.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    monkeypatch.setattr(LINT, "ROOT", tmp_path)
    monkeypatch.setattr(LINT, "PACKAGE", package)
    return list(LINT.import_direction())


def test_the_linter_sees_an_import_that_runs_the_wrong_way(tmp_path, monkeypatch):
    complaints = complaints_about(
        tmp_path,
        monkeypatch,
        {
            "core/scan/ranges.pyx": "from ...reference.records cimport Walk\nfrom ..stream.cutter cimport (\n    cut,\n)\n",
            "core/stream/cutter.pxd": "cdef void cut() noexcept nogil\n",
            "reference/records.py": "import pptpcap.cli\n",
            "cli/__init__.py": "",
            "schema.py": "",
            "wire/gre.py": "import numpy\nfrom ..schema import dtype\nfrom . import link\n",
            "wire/link.py": "",
        },
    )
    assert complaints == [
        "pptpcap.core.scan.ranges: core/scan must not import core/stream (pptpcap.core.stream.cutter)",
        "pptpcap.core.scan.ranges: core/scan must not import reference (pptpcap.reference.records)",
        "pptpcap.reference.records: reference must not import cli (pptpcap.cli)",
        "pptpcap.wire.gre: wire must not import schema (pptpcap.schema)",
        "pptpcap.wire.gre: imports numpy, and wire needs the standard library only",
    ]


def test_the_linter_sees_a_circle_and_what_is_in_no_room(tmp_path, monkeypatch):
    complaints = complaints_about(
        tmp_path,
        monkeypatch,
        {
            "core/relate/above.pyx": "from .tunnels cimport Tunnel\n",
            "core/relate/tunnels.pxd": "",
            "core/relate/tunnels.pyx": "from .sequence cimport Range\n",
            "core/relate/sequence.pxd": "from . cimport tunnels\n",
            "loose.py": "",
        },
    )
    assert complaints == [
        "pptpcap.core.relate.sequence: in a circle of imports with pptpcap.core.relate.tunnels",
        "pptpcap.core.relate.tunnels: in a circle of imports with pptpcap.core.relate.sequence",
        "pptpcap.loose: tools/lint.py does not know what loose may import",
    ]


def imported(code: str) -> set[str]:
    """Modules that lines of Python import."""
    lines = f"import sys\nbefore = {{*sys.modules}}\n{code}\nprint(*{{*sys.modules}} - before)"
    run = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_import_needs_nothing():
    assert imported("import pptpcap") == {"pptpcap"}
    assert imported("import pptpcap.cli") == {"pptpcap", "pptpcap.cli"}


def test_reading_needs_numpy_alone():
    foreign = {"click", "tqdm", "pptpcap.core", "pptpcap.reference"}
    modules = imported("import pptpcap; pptpcap.read")
    assert "numpy" in modules
    assert not modules & foreign


@pytest.mark.parametrize("argument", ["--version", "nope"])
def test_the_command_imports_what_it_needs(argument):
    code = (
        f"import contextlib, io, os; from pptpcap.cli import main; sys.argv = ['pptpcap', '{argument}']\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main()"
    )
    modules = imported(code)
    assert {"click", "pptpcap.cli.program"} <= modules
    assert not modules & {"numpy", "tqdm", "pptpcap.schema", "pptpcap._reading.api"}


def test_the_public_list_is_there():
    names = {"Capture", "CaptureError", "CaptureFile", "Extracted", "IssueError", "Scan", "Summary", "Table"}
    names |= {"extract", "iterate", "read", "report", "scan"}
    found: dict[str, object] = {}
    exec("from pptpcap import *", found)
    assert {*pptpcap.__all__} == names == {name for name in found if not name.startswith("__")}
    assert names <= {*dir(pptpcap)}
    assert pptpcap.read is importlib.import_module("pptpcap._reading.api").read
    assert pptpcap.Capture is importlib.import_module("pptpcap.capture").Capture
    with pytest.raises(AttributeError, match="'pptpcap' has no attribute 'write'"):
        pptpcap.write  # type: ignore[attr-defined]  # noqa: B018


def test_version_stands_in_one_place_and_in_the_changes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    assert pptpcap.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_every_kind_of_issue_and_every_counter_has_words():
    assert set(words._ISSUES) == set(Kind)
    for kind, sentence in words._ISSUES.items():
        assert sentence.format(needed=1, had=2, carrier="GRE", advice="wait"), kind
    assert tuple(_COUNTERS) == COUNTERS


def test_type_checkers_know_every_table():
    tables = [name for name in pptpcap.Capture.__annotations__ if not name.startswith("_")]
    assert sorted(tables) == sorted(table.name for table in TABLES)


def test_type_checkers_know_every_counter():
    assert tuple(_Counters.__annotations__) == COUNTERS


def test_columns_of_codes_have_their_names_and_absences_name_columns():
    for table in TABLES:
        names = {column.name for column in table.columns}
        for column in table.columns:
            said = re.search(r"(?:^bits of|a number of) (\w+)", column.meaning)
            assert said is None or getattr(column.names, "__name__", None) == said[1], (table.name, column.name)
            assert {one.column for one in column.absent if hasattr(one, "column")} <= names, (table.name, column.name)


@pytest.mark.parametrize("document", LINT.files(".md"), ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_files_that_exist(document):
    text = document.read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    rooms = "src|tests|tools|docs|benchmarks|examples|wire|core|reference|cli|export|_input|_reading|_show"
    named = re.findall(rf"`((?:{rooms})/(?!build/)[\w./-]+\.\w+)`", text)
    for name in links:
        assert (document.parent / name).exists(), name
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "src" / "pptpcap" / name).exists(), name


def test_readme_shows_what_the_commands_print(monkeypatch, capsys):
    from pptpcap.cli import main

    text = (ROOT / "README.md").read_text()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    commands = ("calls mss88", "trace mss88", "trace auth_fail_pap")
    for command, name in map(str.split, commands):
        arguments = ["pptpcap", command, f"tests/captures/{name}.pcap"]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit):
            main()
        printed = iter(capsys.readouterr().out.splitlines())
        shown = text.split("$ " + " ".join(arguments) + "\n")[1].split("\n```")[0].split("\n\n$ ")[0].splitlines()
        assert len(shown) >= 3
        # Dots replace ends of lines, and whole lines.
        for line in shown:
            assert line == "..." or any(line == whole or _is_cut(line, whole) for whole in printed)
        assert command == "trace" or not [*printed]


def _is_cut(line: str, whole: str) -> bool:
    return line.endswith("...") and whole.startswith(line.removesuffix("..."))
