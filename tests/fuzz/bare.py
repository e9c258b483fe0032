"""Makes of the core's translated modules one program without the interpreter, and seeds for it.

Knows how Cython spells functions that modules share: the module that has one keeps it to itself and hands out a pointer
when it is imported; whoever calls it has a variable of its name.  Where the one is no longer static, and the other a
declaration, the linker does the rest.  ``bare.pyx`` is what the program does.
"""

from __future__ import annotations

import ctypes
import dataclasses
import re
import struct
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("", "support"))
from builder import pcap_header

# Has no stub, as nothing else in Python imports it.
from pptpcap.core.stream.control import ControlPlan  # type: ignore[import-not-found]

from fuzz import guided
from fuzz.engines import SMALL, Finding, examine
from fuzz.targets import frames_of, input_of
from pptpcap.wire.carriers import PORTS
from pptpcap.wire.limits import DEFAULT

# What meets the interpreter, and that alone.
LEFT_OUT = {"assemble", "rows", "search"}
# What an input is, as the low bits of its first octet say.
RECORDS, BLOCKS, FRAMES, CALLS = range(4)
# So many inputs of each target of numbers are seeds.
NUMBERED = 40
HERE = Path(__file__).resolve().parent
FLAGS = ["-O1", "-g", "-fno-omit-frame-pointer", "-UNDEBUG", "-fno-wrapv", "-w"]
# What each program checks.  Nothing at all behind NULL is where rows of an empty table begin, in C as in the machine.
PROGRAMS = {
    "address": [
        "-fsanitize=fuzzer,address,undefined",
        "-fno-sanitize=pointer-overflow",
        "-fno-sanitize-recover=undefined",
    ],
    "memory": ["-fsanitize=fuzzer,memory", "-fsanitize-memory-track-origins=2"],
    "starved": [
        "-fsanitize=fuzzer,address",
        "-DPPTPCAP_STARVED",
        *(f"-Wl,--wrap={name}" for name in ("malloc", "calloc", "realloc")),
    ],
}
IMPORTED = re.compile(r"^static ([^(\n]*)\(\*(__pyx_f_7pptpcap_4core_\w+)\)(\(.*\)); /\*proto\*/$", re.MULTILINE)


def shared(text: str, module: tuple[str, ...]) -> str:
    """A translated module, by its name within the core, whose functions the linker can see."""
    text = IMPORTED.sub(r"\1\2\3;", text)
    name = "".join(f"{len(part)}{part}_" for part in module)
    own = rf"^static (?!CYTHON_INLINE)([^(\n]*\b__pyx_f_7pptpcap_4core_{name}\w+\()"
    return re.sub(own, r"\1", text, flags=re.MULTILINE)


def numbers(values: object) -> str:
    return "{" + ", ".join(str(value) for value in values) + "}"  # type: ignore[attr-defined]


def header() -> str:
    """What the package tells its core: the plan of the messages as it stands in memory, caps, link types, ports of carriers."""
    plan = ControlPlan()
    mirrors = [(carrier.value, port) for carrier, ports in PORTS.items() for port in ports]
    # Behind the object's count and type nothing but the plans stands.
    start = object.__basicsize__
    plans = ctypes.string_at(id(plan) + start, ControlPlan.__basicsize__ - start)
    return "\n".join(
        [
            "#include <stdint.h>",
            f"static const uint8_t pptpcap_plans[] __attribute__((aligned(8))) = {numbers(plans)};",
            f"static const int64_t pptpcap_usual_caps[] = {numbers(dataclasses.astuple(DEFAULT))};",
            f"static const int64_t pptpcap_small_caps[] = {numbers(dataclasses.astuple(SMALL))};",
            f"static const int pptpcap_links[] = {numbers(guided.LINKS)};",
            f"#define PPTPCAP_LINKS {len(guided.LINKS)}",
            f"static const int pptpcap_mirrors[] = {numbers(number for pair in mirrors for number in pair)};",
            f"#define PPTPCAP_MIRRORS {len(mirrors)}",
            "",
        ]
    )


def write(path: Path, text: str) -> None:
    """What did not change is not compiled again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def translate(core: Path, folder: Path) -> None:
    """The core's modules as they were translated, and this program's, changed so that they can be linked."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "facts.h", header())
    paths = [path for path in core.rglob("*.c") if path.stem not in LEFT_OUT]
    bare = folder / "untouched" / "bare.c"
    bare.parent.mkdir(exist_ok=True)
    command = [
        "cython",
        "-3",
        "-X",
        "cdivision=True,wraparound=False,legacy_implicit_noexcept=False",
        "-I",
        "src",
        "-I",
        "tests",
    ]
    subprocess.run([sys.executable, "-m", *command, str(HERE / "bare.pyx"), "-o", str(bare)], check=True)
    write(folder / "bare.c", shared(bare.read_text(encoding="utf-8"), ("bare",)))
    for path in paths:
        module = path.relative_to(core).with_suffix("").parts
        write(folder / f"{'_'.join(module)}.c", shared(path.read_text(encoding="utf-8"), module))


def build(clang: str, folder: Path) -> None:
    """Compile and link the programs; of Python nothing is called, but the linker asks for it."""
    include, library = sysconfig.get_path("include"), sysconfig.get_config_var("LIBDIR")
    python = [f"-L{library}", f"-lpython{sysconfig.get_config_var('LDVERSION')}", f"-Wl,-rpath,{library}"]
    for program, checks in PROGRAMS.items():
        (folder / f"{program}.o").mkdir(exist_ok=True)
        objects = []
        for source in sorted(folder.glob("*.c")):
            made = folder / f"{program}.o" / f"{source.stem}.o"
            objects.append(str(made))
            if not made.exists() or made.stat().st_mtime < max(
                source.stat().st_mtime, (folder / "facts.h").stat().st_mtime
            ):
                command = [clang, "-c", *FLAGS, *checks, f"-I{include}", f"-I{folder}", str(source), "-o", str(made)]
                subprocess.run(command, check=True)
        subprocess.run([clang, *checks, *objects, *python, "-o", str(folder / program)], check=True)


def write_seeds(folder: Path) -> None:
    """Numbered inputs, and those of the guided search, in this program's form: whole, with small caps, in parts."""
    folder.mkdir(parents=True, exist_ok=True)
    several: list[tuple[int, int, bytes]] = []
    for target in ("containers", "frames", "gre"):
        for number in range(NUMBERED):
            data = input_of(target, 1, number)
            if data[:4] == b"\x0a\x0d\x0d\x0a":
                several.append((BLOCKS, data[8:9] == b"\x1a", data))
                continue
            frames = frames_of(data)
            several.append((RECORDS, 0, data[24:]))
            if frames and frames[0].link in guided.LINKS:
                link = guided.LINKS.index(frames[0].link)
                several.append((FRAMES, link, b"".join(struct.pack(">H", len(f.data)) + f.data for f in frames)))
    with tempfile.TemporaryDirectory() as place:
        for target, what in (("frames", FRAMES), ("calls", CALLS)):
            guided.write_seeds(target, Path(place))
            for path in sorted(Path(place).iterdir()):
                octets = path.read_bytes()
                several.append((what, octets[0], octets[1:]))
                path.unlink()
    for number, (what, form, octets) in enumerate(several):
        for how in (0, 0x3C, 0x80):
            (folder / f"seed-{number}-{how}").write_bytes(bytes([what | how, form]) + octets[:4000])


def record_form(capture: bytes) -> int:
    """The octet that says what the header of a pcap file does: byte order, resolution, link."""
    little = capture[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1", b"\x34\xcd\xb2\xa1")
    magic = int.from_bytes(capture[:4], "little" if little else "big")
    link = int.from_bytes(capture[20:24], "little" if little else "big") & 0xFFFF
    form = {0xA1B23C4D: 2, 0xA1B2CD34: 4}.get(magic, 0) | (not little)
    return form | (guided.LINKS.index(link) << 3 if link in guided.LINKS else 0)


def capture_of(data: bytes) -> bytes:
    """The file that an input of the program stands for, so that the engines can be compared on what was found."""
    what, form, octets = data[0] & 3, data[1], data[2:]
    if what == BLOCKS:
        return octets
    if what == CALLS:
        return guided.calls(data[1:])
    if what == RECORDS:
        magic = 0xA1B2CD34 if form & 4 else 0xA1B23C4D if form & 2 else 0xA1B2C3D4
        link = guided.LINKS[(form >> 3) % len(guided.LINKS)]
        return struct.pack((">" if form & 1 else "<") + "IHHiIII", magic, 2, 4, 0, 0, 262144, link) + octets
    found = [pcap_header(link=guided.LINKS[form % len(guided.LINKS)])]
    while len(octets) >= 2:
        word = int.from_bytes(octets[:2], "big")
        frame = octets[2 : 2 + word % 2048]
        kept = frame[: max(len(frame) - (word >> 11), 0)]
        found.append(struct.pack("<IIII", 1_600_000_000 + len(found), 0, len(kept), len(frame)) + kept)
        octets = octets[2 + word % 2048 :]
    return b"".join(found)


def main() -> None:
    """``bare.py CLANG CORE FOLDER SEEDS`` makes the programs from the translated core, and where they begin.

    ``bare.py --compare FOLDER...`` shows the engines, as captures, what the programs found worth keeping.
    """
    if sys.argv[1] == "--compare":
        paths = [path for folder in sys.argv[2:] for path in sorted(Path(folder).iterdir())]
        for path in paths:
            try:
                examine(capture_of(path.read_bytes().ljust(2, b"\0")))
            except Finding as finding:
                sys.exit(f"{path}: {finding}")
        print(f"bare: the engines agree on {len(paths)} inputs")
        return
    clang, core, folder, corpus = sys.argv[1:]
    translate(Path(core), Path(folder))
    build(clang, Path(folder))
    write_seeds(Path(corpus))


if __name__ == "__main__":
    main()
