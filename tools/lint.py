"""The house's own rules: which way imports run, how long files are, how they begin, what they must not hold.

Knows the tree.  Must not know captures.  Each rule is a function that yields its complaints.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "pptpcap"

LONGEST = {".py": 600, ".pyi": 600, ".pyx": 600, ".pxd": 300, ".c": 600}

# The rooms of the package and which of them each may import, lower ones first; a module in no folder is its own room.
ROOMS = {
    "wire": "",
    "errors": "",
    "schema": "wire",
    "engine": "wire",
    "core/base": "wire schema",
    "core/scan": "core/base wire engine",
    "core/stream": "core/scan core/base wire schema",
    "core/relate": "core/stream core/scan core/base",
    "core": "core/relate core/stream core/scan core/base wire schema engine",
    "reference": "wire schema engine",
    "_input": "wire engine errors",
    "_output": "",
    "_show": "wire engine",
    "_follow": "wire engine",
    "timeline": "wire engine _show _follow",
    "diagnosis": "wire engine _show _follow",
    "_arrow": "wire engine _show",
    "tables": "wire engine _show _arrow",
    "joins": "wire engine _show _arrow tables",
    "audit": "wire engine",
    "_page": "wire engine _show timeline diagnosis audit tables",
    "capture": "wire schema engine _show timeline diagnosis tables joins _page",
    "_reading": "wire schema engine errors _input _output _show _arrow tables capture",
    "decapsulate": "wire engine _input _output capture _reading",
    "_extract": "wire engine _input _output capture _reading",
    "_report": "_input _output _page capture _reading",
    "export": "wire schema engine errors _input _show _arrow tables capture _reading __init__",
    "cli/commands": "wire _show cli",
    "cli": "wire schema engine errors _input _show capture tables audit timeline diagnosis _reading decapsulate export "
    "_extract _report _page __init__",
    "__init__": "errors capture tables _reading _extract _report",
    "__main__": "cli",
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


def _module(path: Path) -> str:
    """A file's dotted name; what Cython declares and what it defines are one module."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _room(module: str) -> str:
    """The room that a module of the package is in: its folder, or itself."""
    parts = module.split(".")[1:]
    folders = {name for room in ROOMS for name in (room, room.partition("/")[0]) if (PACKAGE / name).is_dir()}
    room = ""
    for part in parts:
        if room and f"{room}/{part}" not in folders:
            break
        room = f"{room}/{part}".strip("/")
    return room or "__init__"


def _imports(path: Path) -> Iterator[str]:
    """What a file imports or cimports: modules, and names in modules, spelled from the outermost package on."""
    package = ["pptpcap", *path.relative_to(PACKAGE).parent.parts]
    # Cython's declarations are no Python; a list of names may go over several lines.
    statement = r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+c?import[ \t]+(\([^)]*\)|[^\n]*)|c?import[ \t]+([\w., ]+))"
    for dots, module, names, modules in re.findall(statement, path.read_text(encoding="utf-8"), re.MULTILINE):
        if modules:
            yield from (name.split()[0] for name in modules.split(","))
            continue
        base = package[: len(package) - len(dots) + 1] if dots else []
        base = base + [part for part in module.split(".") if part]
        for name in re.sub(r"#.*", "", names).strip("()").split(","):
            if name.strip():
                yield ".".join([*base, name.split()[0]])


def import_graph() -> dict[str, set[str]]:
    """Each module of the package, and those of the package that it imports or cimports."""
    paths = [path for path in files(".py", ".pyi", ".pyx", ".pxd") if path.is_relative_to(PACKAGE)]
    graph: dict[str, set[str]] = {_module(path): set() for path in paths}
    for path in paths:
        for name in _imports(path):
            parts = name.split(".")
            while parts and ".".join(parts) not in graph:
                parts.pop()
            if parts and ".".join(parts) != _module(path):
                graph[_module(path)].add(".".join(parts))
    return graph


def floors(graph: dict[str, set[str]]) -> dict[str, int]:
    """How many modules stand below each, one above the other; -1 in a circle, and in what is between two circles."""
    found: dict[str, int] = {}
    left = dict(graph)
    while ready := [name for name in left if graph[name] <= found.keys()]:
        for name in ready:
            found[name] = max((found[lower] + 1 for lower in graph[name]), default=0)
            del left[name]
    while tops := left.keys() - {lower for name in left for lower in graph[name]}:
        for name in tops:
            del left[name]
    return found | dict.fromkeys(left, -1)


def import_direction() -> Iterator[str]:
    """Imports run downwards: no circle, no room that a room must not know; ``wire`` needs no foreign library."""
    graph = import_graph()
    circles = {name for name, floor in floors(graph).items() if floor < 0}
    for name in sorted(circles):
        yield f"{name}: in a circle of imports with {', '.join(sorted(graph[name] & circles))}"
    for module, targets in sorted(graph.items()):
        room = _room(module)
        if room not in ROOMS:
            yield f"{module}: tools/lint.py does not know what {room} may import"
            continue
        for target in sorted(targets):
            if _room(target) not in {room, *ROOMS[room].split()}:
                yield f"{module}: {room} must not import {_room(target)} ({target})"
    for path in files(".py", ".pyi", ".pyx", ".pxd"):
        if path.is_relative_to(PACKAGE) and _room(_module(path)) in STANDARD_LIBRARY_ONLY:
            foreign = {name.split(".")[0] for name in _imports(path)} - sys.stdlib_module_names - {"pptpcap"}
            for name in sorted(foreign):
                yield f"{_module(path)}: imports {name}, and {_room(_module(path))} needs the standard library only"


def rooms() -> Iterator[str]:
    """Lines that show the import graph: each room, its floor, files and lines, and what it imports."""
    graph = import_graph()
    between: dict[str, set[str]] = {}
    lines: dict[str, list[int]] = {}
    for path in files(".py", ".pyx", ".pxd"):
        if path.is_relative_to(PACKAGE):
            lines.setdefault(_room(_module(path)), []).append(len(path.read_text(encoding="utf-8").splitlines()))
    for module, targets in graph.items():
        between.setdefault(_room(module), set()).update({*map(_room, targets)} - {_room(module)})
    at = floors(between)
    for room in sorted(between, key=lambda room: (at[room], room)):
        below = " ".join(sorted(between[room], key=lambda name: (at[name], name)))
        yield f"{at[room]:5}  {room:14} {len(lines[room]):3} files {sum(lines[room]):6} lines  {below}"
    levels = floors(graph)
    circles = sum(level < 0 for level in levels.values())
    imports = sum(map(len, graph.values()))
    top = max(levels.values()) + 1
    yield f"{len(graph)} modules, {imports} imports, {top} floors of modules, {circles} modules in circles"


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
    """Print every complaint and return 1 if there is one; ``--graph`` prints the rooms."""
    if "--graph" in sys.argv:
        print("floor  room           size                    imports", *rooms(), sep="\n")
        return 0
    complaints = [complaint for rule in RULES for complaint in rule()]
    print("\n".join(complaints) or "lint: the house is in order")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
