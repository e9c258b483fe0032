from typing import Self

from typing_extensions import disjoint_base

from ..engine import Data

@disjoint_base
class Guard:
    def __new__(cls, data: Data) -> Self: ...
    @property
    def lost(self) -> int: ...
    def close(self) -> None: ...
