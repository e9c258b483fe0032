from typing import Any, final

import numpy as np

from ...engine import Data
from ...wire.container import Container
from ...wire.limits import Limits

@final
class Scan:
    @property
    def end(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def damaged(self) -> bool: ...
    @property
    def file(self) -> int: ...
    @property
    def container(self) -> Container: ...
    def rebase(self, packets: int) -> None: ...
    def take_places(self) -> np.ndarray[Any, np.dtype[np.int64]]: ...

def scan_range(
    data: Data,
    start: int,
    stop: int,
    container: Container,
    ports: tuple[int, ...],
    limits: Limits,
    *,
    file: int = 0,
    packets_before: int = 0,
    origin: int = 0,
    final: bool = True,
    most_records: int = 0,
    salvage: bool = False,
    mirrors: tuple[tuple[int, int], ...] = (),
    payloads: bool = False,
    places: bool = False,
) -> Scan: ...
