"""Gathers what a page says, and has the template write it.

Knows the order of the readings.  Everything from the wire is escaped where it becomes text, and again for HTML.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from typing import Any, Protocol

import numpy as np

from .._show import stories, words
from .._show.null import absent
from ..diagnosis import Diagnosis
from ..engine import COUNTERS
from ..tables import library
from ..timeline import Event, EventKind
from ..wire.control import BY_CODE
from ..wire.issues import MEANINGS
from ..wire.status import Kind, Layer, Severity
from . import course as courses
from . import overview as overviews
from .chosen import ENTITIES, EVENTS, Entities, columns
from .course import Course
from .overview import Overview
from .plots import calls_plot, course_plot

__all__ = ["Readings", "page"]

#: A page is smaller than this, in octets.
LARGEST = 500_000
# Lines of timelines on a page, and of one call; octets of a line.
_MOST_LINES, _MOST_OF_CALL, _FEWEST = 1_600, 200, 8
_WIDEST = 300
_MOST_FILES = 20


class Readings(Protocol):
    """Gives the batches of a capture once more, with these tables and columns, each as a ``Capture``."""

    def __call__(
        self, *, tables: Sequence[str], columns: Mapping[str, Sequence[str]], identities: bool = ...
    ) -> Iterator[Any]: ...


def page(readings: Readings, *, identities: bool = False) -> str:
    """The page of a capture, as HTML in one file, of fewer than 500,000 octets.

    Parameters
    ----------
    readings : callable
        Reads the capture; it is called three times.
    identities : bool
        Name users.

    Returns
    -------
    str
        HTML that needs nothing else.

    Raises
    ------
    ImportError
        Where Jinja2 is not installed.
    """
    template = _template()
    overview, summary = Overview(), None
    for batch in readings(tables=overviews.TABLES, columns=overviews.COLUMNS):
        overview.take(batch)
        summary = batch.summary
    assert summary is not None
    entities = Entities(overview.chosen(), alone=True)
    for batch in readings(tables=ENTITIES, columns=columns(ENTITIES), identities=identities):
        entities.take(batch)
    timelines, diagnoses = entities.collectors()
    course = Course(summary.earliest, summary.latest)
    for batch in readings(tables=EVENTS, columns=_joined(columns(EVENTS), courses.COLUMNS)):
        timelines.take(batch, batch.first_row)
        diagnoses.take(batch, batch.first_row)
        course.take(batch)
    events = {number: timelines.events(number) for number in entities.calls}
    found = {number: diagnoses.of_call(number) for number in entities.calls}
    others = diagnoses.others()
    facts: dict[str, Any] = {
        "version": _version(),
        "title": _title(summary),
        "verdict": list(_verdict(summary, overview, found, others)),
        "captured": list(_captured(summary, overview)),
        "files": [_file(file) for file in summary.files[:_MOST_FILES]],
        "more_files": max(len(summary.files) - _MOST_FILES, 0),
        "counters": [(name, f"{summary.counters[name]:,}") for name in COUNTERS if summary.counters[name]],
        "plots": [plot for plot in (calls_plot(course, events), course_plot(course)) if plot],
        "told": len(events),
        "all_calls": overview.calls,
        "messages": list(_messages(overview)),
        "results": overview.results.most_common(40),
        "reasons": overview.why_not(),
        "authentications": overview.authentications.most_common(20),
        "encryptions": overview.encryptions.most_common(20),
        "weak": overview.weak(),
        "audited": overview.audited,
        "issues": list(_issues(summary, overview)),
        "others": others[:50],
    }
    room = min(_MOST_OF_CALL, max(_MOST_LINES // max(len(events), 1), _FEWEST))
    while True:
        facts["calls"] = [
            _call(number, call, events[number], found[number], room) for number, call in entities.calls.items()
        ]
        html: str = template.render(facts)
        if len(html.encode()) < LARGEST or room == 1:
            return html
        room = max(room // 2, 1)


def _version() -> str:
    try:
        return version("pptpcap")
    except PackageNotFoundError:
        return "that is not installed"


def _template() -> Any:
    jinja2 = library("jinja2", "report")
    folder = files(__package__)
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    script = (folder / "sort.js").read_text(encoding="utf-8").strip()
    environment.globals["style"] = (folder / "page.css").read_text(encoding="utf-8").strip()
    environment.globals["script"] = script
    environment.globals["digest"] = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.from_string((folder / "page.html").read_text(encoding="utf-8"))


def _joined(one: Mapping[str, Sequence[str]], other: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(dict.fromkeys((*one[name], *other.get(name, ())))) for name in one}


def _title(summary: Any) -> str:
    paths = [_cut(words.escape(file.path)) for file in summary.files]
    if len(paths) == 1:
        return paths[0]
    return f"{paths[0]} and {words.times(len(paths) - 1, 'other file')}" if paths else "no file"


def _verdict(
    summary: Any, overview: Overview, found: Mapping[int, Sequence[Diagnosis]], others: Sequence[Diagnosis]
) -> Iterator[str]:
    span = "" if np.isnat(summary.earliest) else f" in {words.duration(_ns(summary.latest - summary.earliest))}"
    parts = [(overview.calls, "call"), (overview.connections, "control connection"), (overview.tunnel_count, "tunnel")]
    seen = [words.times(count, what) for count, what in parts if count]
    yield (
        f"{words.times(summary.packets, 'packet')}{span}: {', '.join(seen) or 'nothing of PPTP'}"
        f"{', one way each' if overview.tunnel_count else ''}."
    )
    if overview.calls:
        wrong = sum(any(not one.kind.is_note for one in told) for told in found.values())
        of = "them" if len(found) == overview.calls else f"the {len(found):,} that are told below"
        have = "has" if wrong < 2 else "have"
        reasons = overview.why_not()
        ended = ", ".join(f"{_plain(reason)} ({count:,})" for reason, count in reasons[:5])
        if others_ended := sum(count for _, count in reasons[5:]):
            ended += f", other reasons ({others_ended:,})"
        yield (
            f"{overview.network:,} of {words.times(overview.calls, 'call')} came as far as an open network protocol; "
            f"how they ended: {ended}; {wrong or 'none'} of {of} {have} a diagnosis."
        )
    else:
        say = f"; {words.times(len(others), 'thing')} to say of what there is, see below" if others else ""
        yield f"No call was seen{say}."
    weak = overview.weak()
    worst = "no weakness was seen"
    if weak:
        worst = f"the worst weakness is {weak[0].weakness.name}, {weak[0].weakness.severity.name}"
    if unseen := overview.audited.nothing_seen:
        worst += f"; too little was seen of {words.times(unseen, 'call')} to tell"
    severities: Counter[Severity] = Counter()
    for (_, kind), count in overview.issues.items():
        severities[MEANINGS[Kind(kind)].severity] += count
    issues = ", ".join(f"{severity.name.lower()} ({severities[severity]:,})" for severity in sorted(severities))
    yield f"Security: {worst}.  Issues of the capture: {issues or 'none'}."


def _plain(name: str) -> str:
    return name.lower().replace("_", " ")


def _ns(span: np.timedelta64) -> int:
    return int(span.astype(np.int64))


def _captured(summary: Any, overview: Overview) -> Iterator[tuple[str, str]]:
    """What was captured, and how well."""
    if not np.isnat(summary.earliest):
        nanoseconds = any(file.resolution == "ns" for file in summary.files)
        first, last = words.instants(np.array([summary.earliest, summary.latest]), nanoseconds)
        yield "first and last time (UTC)", f"{first} to {last}"
    yield "links", _cut(", ".join(sorted({words.escape(file.link) for file in summary.files if file.format}))) or "none"
    yield "damaged", "yes: see the issues" if summary.damaged else "no"
    yield "copies of packets", f"{summary.copies:,}"
    tunnels = overview.tunnels
    yield (
        "tunnels, one way each",
        f"{overview.tunnel_count:,} with {tunnels['packets']:,} packets and {tunnels['payload_octets']:,} octets; "
        f"{tunnels['lost']:,} lost, {tunnels['reordered']:,} came late, {tunnels['duplicated']:,} came twice",
    )
    yield "calls that are open at the end", f"{overview.open_calls:,}"


def _file(file: Any) -> tuple[str, str, str, str]:
    kind = file.format or "no capture"
    inside = f" in {file.compression}" if file.compression else ""
    damaged = ", damaged" if file.damaged else ""
    return _cut(words.escape(file.path)), f"{kind}{inside}", f"{file.packets:,}", f"{file.size:,} octets{damaged}"


def _messages(overview: Overview) -> Iterator[tuple[str, str, str]]:
    for message_type, code in sorted({(message_type, code) for message_type, code, _ in overview.messages}):
        known = BY_CODE.get(code) if message_type == 1 else None
        name = known.name if known else words.message_abbreviation(message_type, code)
        sent, answered = (overview.messages[message_type, code, side] for side in (True, False))
        yield name, f"{sent:,}", f"{answered:,}"


def _issues(summary: Any, overview: Overview) -> Iterator[tuple[str, str, str, str, str]]:
    paths = [file.path for file in summary.files]
    for (layer, kind), count, first in overview.issues_told():
        meaning = MEANINGS[Kind(kind)]
        yield (
            meaning.severity.name,
            f"{Layer(layer).name} {words.issue_kind(kind)}",
            f"{count:,}",
            _cut(words.issue_place(first, paths)),
            meaning.advice,
        )


def _call(number: int, call: Any, events: Sequence[Event], found: Sequence[Diagnosis], room: int) -> dict[str, Any]:
    missing = absent("calls", call.reshape(1))
    doubt = " (assumed)" if stories.assumed(call) else ""
    sides = {}
    for side in ("pns", "pac"):
        said = words.address(call[f"{side}_address"]) + doubt
        name = f" name {words.quote(call[f'{side}_name'])}" if call[f"{side}_name"] else ""
        ids = "" if missing[f"{side}_call_id"][0] else f" id {int(call[f'{side}_call_id'])}"
        sides[side] = said + ids + name
    left_out = max(len(events) - room, 0)
    head = events if not left_out else events[: room - room // 3]
    tail = () if not left_out else events[len(events) - room // 3 :]
    return {
        "number": number,
        **sides,
        "start": words.instant(call["start_time"], False),
        "reached": stories.reached(call),
        "ended": stories.ended(call),
        "lasted": stories.lasted(call),
        "packets": _two(call, "packets"),
        "lost": _two(call, "lost"),
        "delay": _milliseconds(call, "ack_delay"),
        "echo": _milliseconds(call, "echo_rtt"),
        "authentication": words.authentication(int(call["authentication"]), int(call["authenticated"])),
        "encryption": words.encryption(call),
        "missing": stories.missing(call) or "-",
        "first_packet": int(call["first_packet"]),
        "last_packet": int(call["last_packet"]),
        "lines": [_line(event) for event in head],
        "left_out": left_out,
        "tail": [_line(event) for event in tail],
        "found": found[:room],
        "more_found": max(len(found) - room, 0),
        "is_wrong": any(not one.kind.is_note for one in found),
    }


def _two(call: Any, name: str) -> str:
    return " + ".join(f"{int(call[f'{side}_{name}']):,}" for side in ("pns", "pac"))


def _milliseconds(call: Any, name: str) -> str:
    """The means of both sides in ms, a dash where nothing was timed."""
    means = (
        f"{int(call[f'{side}_{name}_mean_ns']) / 1e6:.1f} ms" if call[f"{side}_{name}_samples"] else "-"
        for side in ("pns", "pac")
    )
    return " + ".join(means)


def _line(event: Event) -> tuple[str, str, str, str]:
    when = "-" if event.kind is EventKind.MISSING else words.instant(event.time, False)
    return when, "-".join(map(str, event.packets)), event.side, _cut(event.text)


def _cut(text: str) -> str:
    """A text that came from outside, of which a page has room for so much."""
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]} ..."
