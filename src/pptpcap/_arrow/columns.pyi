from collections.abc import Iterable
from typing import Any

import numpy as np
from typing_extensions import disjoint_base

@disjoint_base
class Columns:
    def __init__(self, kind: np.dtype[np.void], names: Iterable[str], room: int) -> None: ...
    def add(self, rows: np.ndarray[Any, np.dtype[np.void]]) -> None: ...
    @property
    def by_name(self) -> dict[str, np.ndarray[Any, np.dtype[Any]]]: ...

def separated(
    rows: np.ndarray[Any, np.dtype[np.void]], names: Iterable[str]
) -> dict[str, np.ndarray[Any, np.dtype[Any]]]: ...
def numbers_in(values: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[np.bool_]]: ...
def looked_up(
    values: np.ndarray[Any, np.dtype[Any]], places: np.ndarray[Any, np.dtype[np.int32]]
) -> np.ndarray[Any, np.dtype[np.int32]]: ...
