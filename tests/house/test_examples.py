"""The examples of public docstrings: each has one, and it prints what it says."""

from __future__ import annotations

import doctest
import importlib
import inspect
import shutil

import pytest
from places import CAPTURES

MODULES = (
    "pptpcap",
    "pptpcap.schema",
    "pptpcap.audit",
    "pptpcap.timeline",
    "pptpcap.diagnosis",
    "pptpcap.decapsulate",
    "pptpcap.export",
)
PUBLIC = {
    f"{module}.{name}": value
    for module in MODULES
    for name in importlib.import_module(module).__all__
    if inspect.isfunction(value := getattr(importlib.import_module(module), name)) or inspect.isclass(value)
}


@pytest.mark.parametrize("name", PUBLIC)
def test_example_prints_what_it_says(name, tmp_path, monkeypatch):
    """In a folder of its own, with a capture of the name that the examples read."""
    shutil.copy(CAPTURES / "mss88.pcap", tmp_path / "vpn.pcap")
    monkeypatch.chdir(tmp_path)
    (example,) = doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, globs={})
    printed: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(example, out=printed.append)
    assert result.attempted, "no example"
    assert not result.failed, "".join(printed)
