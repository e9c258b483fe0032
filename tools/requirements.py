"""Print requirements from ``pyproject.toml``: its build requirements, its dependencies, its extras.

Knows the file's layout and nothing of pip.
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
    own = {f"{data['project']['name']}[{extra}]": extra for extra in data["project"]["optional-dependencies"]}
    found: list[str] = []
    for group in groups:
        for requirement in known[group]:
            # An extra that takes in another one: pip would fetch the project itself for it.
            found += requirements([own[requirement]]) if requirement in own else [requirement]
    return list(dict.fromkeys(found))


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1:])))
