"""The house's own rules: which way imports run, how long files are, how they begin, what they must not hold.

Knows the tree and no capture; each rule is a function that gives its complaints.  Run by ``make check``, and by
``tests/test_layout.py``.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "pptpcap"

LONGEST = {".py": 600, ".pyi": 600, ".pyx": 600, ".pxd": 300, ".c": 600}

# What each part of the package may import of the package.  Parts that are not named are single modules.
MAY_IMPORT = {
    "wire": {"wire"},
    "schema": {"wire"},
    "errors": set(),
    "engine": {"wire"},
    "reference": {"reference", "wire", "schema", "engine"},
    "core": {"core", "wire", "schema", "engine"},
    "containers": {"wire", "errors"},
    "windows": {"engine", "errors"},
    "inputs": {"windows"},
    "frames": {"errors", "inputs"},
    "units": {"frames", "inputs"},
    "compression": {"crew", "frames", "inputs", "units", "windows", "wire"},
    "source": {"compression", "errors", "inputs", "windows", "wire"},
    "describe": {"wire"},
    "absent": {"wire", "engine"},
    "capture": {"wire", "schema", "engine", "describe"},
    "crew": set(),
    "ahead": {"wire", "engine", "windows", "crew"},
    "walk": {"ahead", "wire", "schema", "engine", "errors", "describe", "capture", "containers", "source"},
    "reading": {"wire", "schema", "engine", "capture", "source", "walk"},
    "audit": {"wire", "engine"},
    "decapsulate": {"decapsulate", "wire", "engine", "capture", "source", "reading"},
    "export": {
        "export",
        "crew",
        "wire",
        "schema",
        "engine",
        "errors",
        "describe",
        "absent",
        "capture",
        "source",
        "reading",
    }
    | {"version"},
    "cli": {
        "cli",
        "absent",
        "audit",
        "decapsulate",
        "export",
        "wire",
        "schema",
        "engine",
        "errors",
        "describe",
        "capture",
        "source",
        "reading",
    }
    | {"version"},
    "__init__": {"capture", "errors", "reading"},
    "__main__": {"cli"},
}
STANDARD_LIBRARY_ONLY = {"wire", "errors"}

# Places of one machine, and things that belong to whoever writes and not to who reads.
FORBIDDEN = re.compile(r"/(?:home|root|work|Users|opt|tmp)/\w+|\b[\w.]+@[\w-]+\.(?:com|org|net)\b")


def files(*suffixes: str) -> list[Path]:
    """Files that git knows or would take in, with one of the suffixes; without git, all but what was built."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
        paths = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        names = (".git", ".venv", ".hypothesis", ".pytest_cache", ".ruff_cache", ".mypy_cache", "build", "dist")
        built = {*map(ROOT.joinpath, names), ROOT / "benchmarks" / "build", ROOT / "benchmarks" / "data"}
        paths = [path for path in ROOT.rglob("*") if not built.intersection(path.parents)]
    return sorted(path for path in paths if path.suffix in suffixes and path.is_file())


def _part(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def _python_imports(path: Path) -> Iterator[str]:
    """Modules that a Python file imports, relative ones spelled from ``pptpcap`` on."""
    package = ["pptpcap", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            yield from (".".join([*base, alias.name]) for alias in node.names)


def _cython_imports(path: Path) -> Iterator[str]:
    package = ["pptpcap", *path.relative_to(PACKAGE).parent.parts]
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.match(r"\s*(?:from\s+(\.*)([\w.]*)\s+c?import\s+([\w, ]+)|c?import\s+([\w.]+))", line)
        if found and found[4]:
            yield found[4]
        elif found:
            dots, module, names = found[1], found[2], found[3]
            base = package[: len(package) - len(dots) + 1] if dots else []
            yield from (
                ".".join([*base, *filter(None, module.split(".")), name.split()[0]]) for name in names.split(",")
            )


def import_direction() -> Iterator[str]:
    """Imports inside the package run one way; ``wire`` needs nothing but the standard library."""
    for path in files(".py", ".pyi", ".pyx", ".pxd"):
        if not path.is_relative_to(PACKAGE):
            continue
        part = _part(path)
        if part not in MAY_IMPORT:
            yield f"{path.relative_to(ROOT)}: tools/lint.py does not know what {part} may import"
            continue
        imports = _python_imports(path) if path.suffix in (".py", ".pyi") else _cython_imports(path)
        for name in imports:
            parts = name.split(".")
            if parts[0] != "pptpcap":
                foreign = parts[0] not in sys.stdlib_module_names
                if foreign and part in STANDARD_LIBRARY_ONLY:
                    yield f"{path.relative_to(ROOT)}: imports {name}, and {part} needs the standard library only"
                continue
            target = parts[1].replace("__version__", "version") if len(parts) > 1 else "__init__"
            if target not in MAY_IMPORT[part] and target != part:
                yield f"{path.relative_to(ROOT)}: {part} must not import {target}"


def lengths() -> Iterator[str]:
    """No file is too long to be read at one sitting, but those that nobody writes."""
    for path in files(*LONGEST):
        text = path.read_text(encoding="utf-8")
        count = len(text.splitlines())
        if count > LONGEST[path.suffix] and "generated" not in text.partition("\n")[0]:
            yield f"{path.relative_to(ROOT)}: {count} lines, at most {LONGEST[path.suffix]}"


def heads() -> Iterator[str]:
    """Every module says what it knows."""
    for path in files(".py", ".pyx", ".pxd"):
        text = path.read_text(encoding="utf-8")
        if text.strip() and not text.startswith(('"""', 'r"""')):
            yield f"{path.relative_to(ROOT)}: does not begin with a docstring"


def places() -> Iterator[str]:
    """No paths of a machine, no addresses of people."""
    for path in files(".py", ".pyi", ".pyx", ".pxd", ".c", ".h", ".md", ".toml", ".in", ""):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if FORBIDDEN.search(line) and path != Path(__file__).resolve():
                yield f"{path.relative_to(ROOT)}:{number}: {FORBIDDEN.search(line)}"


def cython_habits() -> Iterator[str]:
    """Directives stand in ``setup.py``; nothing is included and nothing imported by star."""
    for path in files(".pyx", ".pxd"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.match(r"#\s*cython\s*:|#\s*distutils\s*:|include\s|.*import\s*\*", line):
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


RULES = (import_direction, lengths, heads, places, cython_habits)


def main() -> int:
    """Print every complaint; 1 where there is one."""
    complaints = [complaint for rule in RULES for complaint in rule()]
    print("\n".join(complaints) or "lint: the house is in order")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
