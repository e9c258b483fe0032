"""Where things are: the repository, its captures, and the folder of more captures that may lie beside it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
CAPTURES = TESTS / "captures"
SHARED = ROOT.parent / "shared" / "captures"
