"""Print requirements from ``pyproject.toml``: its build requirements, its dependencies, its extras.

Knows the file's layout and nothing of pip.  Called by the Makefile, so that versions stand in one place.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def requirements(groups: list[str]) -> list[str]:
    """Requirements of the groups: "build", "project", or the name of an extra."""
    data = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    known = {
        "build": data["build-system"]["requires"],
        "project": data["project"]["dependencies"],
        **data["project"]["optional-dependencies"],
    }
    return [requirement for group in groups for requirement in known[group]]


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1:])))
