from collections.abc import Callable
from typing import Any

import numpy as np

def write_lines(
    write: Callable[[memoryview], object],
    columns: list[tuple[bytes, np.ndarray[Any, Any], np.ndarray[Any, Any] | None, list[bytes] | None]],
    length: int,
    *,
    null: bytes,
    quote: bytes,
    end: bytes,
    separator: bytes = b"T",
    digits: int = 9,
    says_zone: bool = True,
) -> None: ...
