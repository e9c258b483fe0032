"""The options that every reader takes, checked once and passed on as one object.

A new option is a line in `ReadOptions` and a field with its check in `Options`.  Must not know files or engines.
"""

from __future__ import annotations

import difflib
import inspect
import operator
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, TypeAlias, TypedDict, TypeVar, get_args, get_type_hints

from ..wire import carriers, limits
from ..wire.control import DEFAULT_PORT

__all__ = ["IO", "EngineName", "Options", "ReadOptions", "taking_options"]

IO: TypeAlias = Literal["mmap", "read"]
EngineName: TypeAlias = Literal["compiled", "reference"]
OnCorrupt: TypeAlias = Literal["stop", "salvage"]
Duplicates: TypeAlias = Literal["keep", "drop"]
Separate: TypeAlias = Literal["none", "layers"]
Mirrors: TypeAlias = Mapping[str, int | Iterable[int]]

Function = TypeVar("Function", bound=Callable[..., Any])


class ReadOptions(TypedDict, total=False):
    """What callers may say; `pptpcap.read` documents each."""

    ports: Iterable[int]
    on_corrupt: OnCorrupt
    duplicates: Duplicates
    separate: Separate
    mirrors: Mirrors | None
    threads: int | None
    engine: EngineName
    io: IO
    max_memory: int | None
    max_window: int | None


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one reading.

    Raises
    ------
    ValueError, TypeError
        Where one is not what it may be.
    """

    ports: tuple[int, ...] = (DEFAULT_PORT,)
    on_corrupt: OnCorrupt = "stop"
    duplicates: Duplicates = "keep"
    separate: Separate = "none"
    mirrors: Mirrors | None = None
    threads: int | None = None
    engine: EngineName = "compiled"
    io: IO = "mmap"
    max_memory: int | None = None
    max_window: int | None = None
    # What `mirrors` says, as engines take it: number of the Carrier, and port.
    mirror_ports: tuple[tuple[int, int], ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ports", tuple(operator.index(port) for port in self.ports))
        if not self.ports or not all(0 < port < 0x10000 for port in self.ports):
            raise ValueError(f"ports must be numbers from 1 to 65535, at least one, not {self.ports}")
        object.__setattr__(self, "mirror_ports", tuple(_mirror_ports(self.mirrors or {})))
        literals = (
            ("on_corrupt", OnCorrupt),
            ("duplicates", Duplicates),
            ("separate", Separate),
            ("engine", EngineName),
            ("io", IO),
        )
        for name, allowed in literals:
            require_one_of(name, getattr(self, name), *get_args(allowed))
        if self.threads is not None and operator.index(self.threads) < 1:
            raise ValueError(f"threads must be at least 1, not {self.threads}")
        if self.max_memory is not None:
            limits.DEFAULT.within(operator.index(self.max_memory))
        least, most = limits.ZSTD_WINDOW, limits.MOST_ZSTD_WINDOW
        if self.max_window is not None and not least <= operator.index(self.max_window) <= most:
            raise ValueError(f"max_window must be from {least} to {most} octets, not {self.max_window}")

    @classmethod
    def of(cls, options: ReadOptions) -> Options:
        """The options that a caller gave by name; TypeError where there is none of a name."""
        for name in options:
            if name not in ReadOptions.__annotations__:
                raise TypeError(f"there is no option {name!r}{_hint(name, ReadOptions.__annotations__)}")
        return cls(**options)  # type: ignore[arg-type]

    @property
    def salvage(self) -> bool:
        """Whether the walk goes on behind a corrupt record."""
        return self.on_corrupt == "salvage"

    @property
    def keeps_layers(self) -> bool:
        """Whether traffic of different VLANs is kept apart."""
        return self.separate == "layers"

    @property
    def drops_copies(self) -> bool:
        """Whether packets that the capture holds more than once are left out but for the first."""
        return self.duplicates == "drop"

    @property
    def scanners(self) -> int:
        """Ranges that are scanned, and frames that are decompressed, at once."""
        if self.threads is not None:
            return self.threads
        # The reference engine holds the interpreter's lock all the time.
        return 1 if self.engine == "reference" else _cores()

    @property
    def window(self) -> int:
        """Octets of the window of a zstd frame, at most."""
        return limits.ZSTD_WINDOW if self.max_window is None else self.max_window

    @property
    def caps(self) -> limits.Limits:
        """The caps that follow from the memory that may be taken."""
        return limits.DEFAULT if self.max_memory is None else limits.DEFAULT.within(self.max_memory)


def _hint(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _mirror_ports(mirrors: Mirrors) -> Iterator[tuple[int, int]]:
    """Each kind and port of `mirrors`; ValueError where there is none."""
    for name, ports in mirrors.items():
        if name not in carriers.NAMES:
            hint = _hint(name, carriers.NAMES) or f"; there are {', '.join(carriers.NAMES)}"
            raise ValueError(f"there is no mirror {name!r}{hint}")
        for port in (ports,) if isinstance(ports, int) else ports:
            if not 0 < operator.index(port) < 0x10000:
                raise ValueError(f"ports of {name} must be from 1 to 65535, not {port}")
            yield carriers.NAMES[name].value, operator.index(port)


def require_one_of(argument: str, value: object, *allowed: str) -> None:
    """ValueError where an argument has none of the values that it may have."""
    if value not in allowed:
        raise ValueError(f"{argument} must be one of {', '.join(allowed)}, not {value!r}")


def taking_options(function: Function) -> Function:
    """Let `help` and completion show the options of `ReadOptions` in place of ``**options``."""
    signature = inspect.signature(function)
    defaults = {field.name: field.default for field in fields(Options)}
    types = get_type_hints(ReadOptions)
    assert MISSING not in defaults.values()
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=types[name])
        for name in types
    ]
    rest = [one for one in signature.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    function.__signature__ = signature.replace(parameters=[*rest, *named])  # type: ignore[attr-defined]
    return function


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
