"""pyarrow for tests, and what stands for it where ``make without-pyarrow`` runs them: a test that asks for it skips."""

from __future__ import annotations

import importlib
import os
from typing import Any

import pytest

# Set by that target, whose environment has pandas, Polars and DuckDB, and must not have pyarrow.
IS_LEFT_OUT = bool(os.environ.get("PPTPCAP_WITHOUT_PYARROW"))
NEEDED = "needs pyarrow, which is left out here"
needs_pyarrow = pytest.mark.skipif(IS_LEFT_OUT, reason=NEEDED)


class _LeftOut:
    """Stands for pyarrow."""

    def __getattr__(self, name: str) -> Any:
        # pytest asks whatever a module has for names of its own.
        if name.startswith(("_", "pytest")):
            raise AttributeError(name)
        pytest.skip(NEEDED)


def _pyarrow() -> Any:
    if IS_LEFT_OUT:
        return _LeftOut()
    for module in ("parquet", "ipc", "compute"):
        importlib.import_module(f"pyarrow.{module}")
    return importlib.import_module("pyarrow")


pyarrow: Any = _pyarrow()
