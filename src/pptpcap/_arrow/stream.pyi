from collections.abc import Iterator
from typing import Any

from typing_extensions import disjoint_base

@disjoint_base
class Field:
    def __init__(
        self,
        name: bytes,
        form: bytes,
        metadata: bytes = b"",
        children: list[Field] | None = None,
        dictionary: Field | None = None,
    ) -> None: ...
    @property
    def names(self) -> list[bytes]: ...

@disjoint_base
class Cells:
    def __init__(
        self,
        length: int,
        nulls: int,
        buffers: list[Any],
        children: list[Cells] | None = None,
        dictionary: Cells | None = None,
    ) -> None: ...

@disjoint_base
class Source: ...

def schema_capsule(field: Field) -> object: ...
def stream_capsule(field: Field, batches: Iterator[Cells]) -> object: ...
