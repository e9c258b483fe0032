"""What ``make help`` and CONTRIBUTING.md say of the Makefile: every command that they name is there."""

from __future__ import annotations

import os
import re
import subprocess

from places import ROOT

FOR_OTHERS = {"help", "fuzz-numbered", "guided-build", "bare-build", "fuzz-guided", "fuzz-bare"}


def make(*arguments: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"
    }
    done = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def commands() -> set[str]:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert phony
    return set(phony[1].split())


def test_help_names_each_command():
    named = re.findall(r"^make (\S+)", make("help"), re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == commands() - FOR_OTHERS


def test_help_is_what_make_alone_prints():
    assert make() == make("help")


def test_pages_name_what_is_there():
    for page in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"^make ([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE))
        assert named
        assert named <= commands()
