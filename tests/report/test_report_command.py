"""``pptpcap report``: where the page goes, what is refused, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from captures import lab
from commands import MSS88, call

import pptpcap


def test_the_page_is_that_of_the_capture(tmp_path):
    path = tmp_path / "page.html"
    assert call("report", "-o", path, MSS88) == (0, "", "")
    assert path.read_text(encoding="utf-8") == pptpcap.read(str(MSS88)).report()


@pytest.mark.parametrize("name", ["multi8_clients.server.pcap", "pap_plain_snaplen64.pcap", "vlan10_any_sll2.pcap"])
def test_pages_of_larger_captures(tmp_path, name):
    path = tmp_path / "page.html"
    assert call("report", "-o", path, lab(name))[0] == 0
    assert path.read_text(encoding="utf-8") == pptpcap.read(str(lab(name))).report()


def test_standard_output():
    done = subprocess.run(
        [sys.executable, "-m", "pptpcap", "report", "-o", "-", str(MSS88)], capture_output=True, check=True
    )
    assert done.stdout.decode() == pptpcap.read(str(MSS88)).report()


def test_nothing_is_replaced_unasked(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine")
    code, out, err = call("report", "-o", path, MSS88)
    assert (code, out) == (1, "")
    assert "is there already" in err
    assert path.read_text() == "mine"
    assert call("report", "--overwrite", "-o", path, MSS88)[0] == 0
    assert len(path.read_text()) > 10_000


def test_a_capture_is_not_its_own_page(tmp_path):
    path = tmp_path / "vpn.pcap"
    path.write_bytes(MSS88.read_bytes())
    code, _, err = call("report", "--overwrite", "-o", path, path)
    assert code == 2
    assert "is one of the files that are read" in err
    assert path.read_bytes() == MSS88.read_bytes()


def test_standard_input_is_refused(tmp_path):
    code, out, err = call("report", "-o", tmp_path / "page.html", "-")
    assert (code, out) == (2, "")
    assert "read three times" in err
    assert os.listdir(tmp_path) == []


def test_damage_is_told_and_there_is_a_page(tmp_path):
    damaged, path = tmp_path / "cut.pcap", tmp_path / "page.html"
    damaged.write_bytes(MSS88.read_bytes()[:-5])
    code, out, err = call("report", "-o", path, damaged)
    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    assert "damaged: " in err
    assert "damage (1)" in path.read_text(encoding="utf-8")


def test_no_capture_leaves_no_page(tmp_path):
    none, path = tmp_path / "none.pcap", tmp_path / "page.html"
    none.write_bytes(b"this is no capture, but a text")
    assert call("report", "-o", path, none)[0] == 1
    assert sorted(os.listdir(tmp_path)) == ["none.pcap"]


def test_without_jinja2_the_command_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    code, out, err = call("report", "-o", tmp_path / "page.html", MSS88)
    assert (code, out) == (1, "")
    assert "pip install 'pptpcap[report]'" in err
    assert os.listdir(tmp_path) == []
