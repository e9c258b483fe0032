from ...engine import Data
from ...wire.container import Container
from ...wire.limits import Limits

def find_record(
    data: Data, start: int, stop: int, container: Container, limits: Limits, *, final: bool = True
) -> int: ...
