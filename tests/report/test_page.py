"""What a page says, that it fits, that it loads nothing, and that nothing from the wire becomes HTML."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pytest
from builder import control, pcap
from call_builder import Session, octets, outgoing_request, packet
from captures import WALKED, lab, walked
from commands import MSS88

import pptpcap
from pptpcap import _page
from pptpcap._input.options import Options, ReadOptions
from pptpcap._page import overview, writing
from pptpcap._page.course import Course
from pptpcap._reading.api import batches

EMPTY_ELEMENTS = {"meta", "br"}


class Page(HTMLParser):
    """The texts of a page by the element that they stand in, and the rows of its tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.rows: list[list[str]] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data.strip()

    def of(self, tag):
        return [text for name, text in self.texts if name == tag]


@pytest.fixture(scope="module")
def mss88():
    return Page(pptpcap.read(MSS88).report())


def page_in_batches(path, size):
    reading = Options.of(ReadOptions())
    return _page.page(partial(batches, [str(path)], options=reading, batch_bytes=size))


# ---- what it says


def test_it_begins_with_three_sentences(mss88):
    assert mss88.of("p")[:3] == [
        "109 packets in 18.478 s: 1 call, 1 control connection, 2 tunnels, one way each.",
        "1 of 1 call came as far as an open network protocol; how they ended: terminated (1); "
        "none of them has a diagnosis.",
        "Security: the worst weakness is MS_CHAP_V2, HIGH.  Issues of the capture: none.",
    ]


def test_calls(mss88):
    row = next(row for row in mss88.rows if row[:2] == ["0", "2026-11-22 13:02:54.835268"])
    assert row == [
        *("0", "2026-11-22 13:02:54.835268", "12.557 s", "10.77.0.2 id 18458", "10.77.0.1 id 0", "network"),
        *("terminated by PNS", "22 + 23", "0 + 0", "61.8 ms + 88.1 ms", "- + 12.3 ms", "MS-CHAPv2, accepted"),
        *("MPPE 128 stateless", "-", "-"),
    ]


def test_each_line_of_the_timeline(mss88):
    told = [row for row in mss88.rows if len(row) == 4 and row[2] in ("PNS", "PAC", "")]
    events = pptpcap.read(MSS88).timeline(0)
    assert [row[3] for row in told] == [event.text for event in events]
    assert told[1][:3] == ["2026-11-22 13:02:53.811419", "11", "PNS"]


def test_control_messages_and_weaknesses(mss88):
    assert ["echo_request", "6", "0"] in mss88.rows
    assert ["outgoing_call_reply", "0", "1"] in mss88.rows
    weak = [row for row in mss88.rows if len(row) == 5 and row[1] == "MS_CHAP_V2"]
    assert [row[:3] for row in weak] == [["HIGH", "MS_CHAP_V2", "1"]]
    assert weak[0][4] == "call 0, pns_authentication MS_CHAP_V2, pns_authenticated YES, packets 29, 35, 36"


def test_a_diagnosis_and_its_advice():
    page = Page(pptpcap.read(lab("killed_server.pcap")).report())
    sentence = pptpcap.read(lab("killed_server.pcap")).diagnose()[0].sentence
    assert any(sentence in text for text in page.of("p"))
    assert "1 of them has a diagnosis." in page.of("p")[1]


def test_issues_name_the_first_and_what_to_do():
    data = MSS88.read_bytes()[:-5]
    page = Page(pptpcap.read(data).report())
    row = next(row for row in page.rows if row[0] == "DAMAGE")
    assert row[1:3] == ["CONTAINER TRUNCATED_RECORD", "1"]
    assert page.of("p")[2].endswith("Issues of the capture: damage (1).")


def test_a_capture_of_nothing():
    page = Page(pptpcap.read(pcap([])).report())
    assert page.of("p")[:2] == ["0 packets: nothing of PPTP.", "No call was seen."]
    assert "There is no call in the capture." in page.of("p")
    assert "No call was seen." in page.of("p")[1]


def test_one_packet():
    page = Page(pptpcap.read(Session().pcap()).report())
    assert page.of("p")[0] == "3 packets in 2.000 s: 1 control connection."


# ---- calls that are told


def many(count):
    talk = Session()
    for number in range(count):
        talk.client_says(outgoing_request(number))
    return talk.pcap()


def test_of_many_calls_some_are_told():
    page = Page(pptpcap.read(many(50)).report())
    assert page.of("p")[1].startswith("0 of 50 calls came as far")
    assert page.of("p")[1].endswith("how they ended: open (50); none of the 40 that are told below has a diagnosis.")
    assert page.of("p")[2].startswith("Security: no weakness was seen; too little was seen of 50 calls to tell.")
    numbers = [int(row[0]) for row in page.rows if len(row) == 15 and row[0].isdigit()]
    assert len(numbers) == 40
    # All are as bad: those that came first, and ten others.
    assert numbers[:30] == list(range(30))
    assert any("Of 50 calls this page tells of 40" in text for text in page.of("p"))


def test_the_worst_calls_are_told():
    talk = Session()
    for number in range(45):
        talk.outgoing(number + 1, number + 1)
    talk.client_says(outgoing_request(99))
    of = overview.Overview()
    of.take(pptpcap.read(talk.pcap()))
    assert of.calls == 46
    assert 45 in of.chosen()


def test_a_page_that_would_be_too_large_has_fewer_lines(monkeypatch):
    whole = pptpcap.read(lab("multi8_clients.server.pcap")).report()
    monkeypatch.setattr(writing, "LARGEST", 80_000)
    page = pptpcap.read(lab("multi8_clients.server.pcap")).report()
    assert len(page.encode()) < 80_000 < len(whole)
    assert "lines are left out here; pptpcap trace --call 3 has them" in page
    assert page.count("<details id=") == whole.count("<details id=") == 10


def test_lines_are_cut():
    talk = Session().outgoing(0x11, 0x22)
    talk.client_sends(0x22, 1, payload=octets(packet("c021", 5, "ff" * 200)))
    page = pptpcap.read(talk.pcap()).report()
    assert " ...</td>" in page


# ---- plots


def test_numbers_of_the_course():
    capture = pptpcap.read(lab("loss5_reorder_dup.client.pcap"))
    course = Course(capture.summary.earliest, capture.summary.latest)
    course.take(capture)
    assert {name: int(counts.sum()) for name, counts in course.counts.items()} == {
        "messages": len(capture.messages),
        "packets": len(capture.gre),
        "octets": int(capture.gre["payload_length"].sum()),
        "skipped": int(capture.gre["skipped"].sum()),
        "reordered": int(capture.tunnels["reordered"].sum()),
        "duplicated": int(capture.tunnels["duplicated"].sum()),
    }
    assert course.parts <= 120


@pytest.mark.parametrize(
    ("last", "parts", "width"), [(0, 1, 1), (1, 2, 1), (119, 120, 1), (120, 61, 2), (10**18, 120, None)]
)
def test_parts_hold_the_first_and_the_last_time(last, parts, width):
    times = np.array([0, last], "datetime64[ns]")
    course = Course(times[0], times[1])
    assert course.parts == parts
    assert width in (None, course.width)
    rows = np.zeros(2, pptpcap.schema.dtype("gre"))
    rows["time"] = times
    course.take({"messages": np.zeros(0, pptpcap.schema.dtype("messages")), "gre": rows})
    expected = [2] if not last else [1, *[0] * (parts - 2), 1]
    assert course.counts["packets"].tolist() == expected


def test_a_time_that_is_not_known_is_in_no_part():
    course = Course(np.datetime64(0, "ns"), np.datetime64(9, "ns"))
    rows = np.zeros(1, pptpcap.schema.dtype("gre"))
    rows["time"] = np.datetime64("NaT")
    course.take({"messages": np.zeros(0, pptpcap.schema.dtype("messages")), "gre": rows})
    assert not course.counts["packets"].any()


def test_marks_stay_inside(mss88):
    marks = [
        dict(found)
        for found in (
            re.findall(r'(\w+)="([^"]*)"', mark) for mark in re.findall("<rect x=[^>]*>", pptpcap.read(MSS88).report())
        )
    ]
    assert len(marks) > 20
    assert all(150 <= float(mark["x"]) <= 950 for mark in marks)
    assert all(float(mark["x"]) + float(mark["width"]) <= 953 for mark in marks)


def test_the_largest_page_that_can_be(monkeypatch):
    """Forty calls with all that a page has room for: long stories, diagnoses, names in octets that are escaped."""
    monkeypatch.setattr(writing, "_WIDEST", 2_000)
    talk = Session()
    for number in range(1, 61):
        talk.outgoing(number, number + 1000)
        for place in range(40):
            talk.client_sends(number + 1000, 2 * place, payload=octets(packet("c021", 1, "ff26" + "3c" * 36)))
            talk.server_sends(number, 3 * place, payload=octets(packet("8021", 9 + place, "26" * 120)))
    html = pptpcap.read(talk.pcap()).report()
    assert len(html.encode()) < 500_000
    assert html.count("<details id=") == 40


# ---- nothing from the wire, nothing from elsewhere


def test_what_the_wire_has_is_text():
    host = b"</td><script>alert(1)</script>".ljust(64, b"\0")
    vendor = b'"><img src=x onerror=alert(2)>'.ljust(64, b"\0")
    talk = Session()
    talk.client_says(control(1, octets("0100 0000 00000003 00000003 ffff 0001") + host + vendor))
    talk.client_says(outgoing_request(1))
    html = pptpcap.read(talk.pcap()).report()
    assert "<script>alert" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    Page(html)


def test_a_hostile_name_of_a_file(tmp_path):
    path = tmp_path / "<b>\x1b[31m&.pcap"
    path.write_bytes(MSS88.read_bytes())
    html = pptpcap.read(path).report()
    assert "<b>" not in html
    assert "\x1b" not in html
    assert "&lt;b&gt;\\x1b[31m&amp;.pcap" in html


def test_it_loads_nothing_and_its_script_is_the_one_that_is_allowed():
    html = pptpcap.read(MSS88).report()
    page = Page(html)
    assert not [one for one in page.attributes if one[1] in ("src", "action", "style") or one[1].startswith("on")]
    assert all((value or "").startswith("#") for _, name, value in page.attributes if name == "href")
    assert "url(" not in html
    assert "@import" not in html
    (script,) = re.findall(r"<script>(.*)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert ("meta", "content", policy) in page.attributes
    assert len(script) < 4_096
    assert html.count("<script") == 1


def test_names_of_users_only_when_asked():
    path = lab("pap_plain.pcap")
    names = {
        name
        for call in pptpcap.read(path, identities=True).calls
        for name in (call["pns_name"], call["pac_name"])
        if name
    }
    assert names
    html = page_in_batches(path, 16 << 20)
    told = _page.page(
        partial(batches, [str(path)], options=Options.of(ReadOptions()), batch_bytes=16 << 20), identities=True
    )
    for name in names:
        assert f'"{name.decode()}"' not in html.replace("&#34;", '"')
        assert f'name "{name.decode()}"' in told.replace("&#34;", '"')


# ---- the same page however it is read


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKED)
def test_batches_and_engines_make_the_same_page(name):
    path = walked(name)
    whole = pptpcap.read(path).report()
    assert page_in_batches(path, 700) == whole
    assert pptpcap.read(path, engine="reference").report() == whole
    assert len(whole.encode()) < 500_000


def test_a_batch_has_no_page():
    batch = list(pptpcap.iterate(MSS88, batch_packets=50))[1]
    with pytest.raises(ValueError, match="a batch has a part of the capture"):
        batch.report()


def test_a_table_that_was_not_read():
    with pytest.raises(KeyError):
        pptpcap.read(MSS88, tables=["calls"]).report()


def test_without_jinja2(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'pptpcap[report]'")):
        pptpcap.read(MSS88).report()
