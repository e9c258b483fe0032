"""Lines of text: each number of digits, each day of the calendar, the ends of the buffer, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pptpcap.export.formatting import write_lines


def lines(*columns: Any, **more: Any) -> list[str]:
    """Lines of columns, each its values, with a mask and texts or without."""
    several = [column if isinstance(column, tuple) else (column, None, None) for column in columns]
    given = [(b";" * (place > 0), *column) for place, column in enumerate(several)]
    told = bytearray()
    marks = {"null": b"-", "quote": b"'", "end": b"\n"} | more
    write_lines(told.extend, given, len(several[0][0]), **marks)
    return told.decode("ascii").split(marks["end"].decode())[:-1]


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i2", "i4", "i8"])
def test_numbers(dtype):
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    around = {10**power + more for power in range(20) for more in (-1, 0, 1)} | {2**power for power in range(64)}
    numbers = sorted({sign * number for number in around for sign in (1, -1)} | {least, most, least + 1, most - 1})
    numbers = [number for number in numbers if least <= number <= most]
    assert lines(np.array(numbers, dtype)) == [str(number) for number in numbers]


def test_truths():
    assert lines(np.array([True, False])) == ["true", "false"]


def test_each_day():
    """The first and the last nanosecond of each that nanoseconds since 1970 can tell."""
    days = np.arange(-106_751, 106_752) * 86_400 * 10**9
    times = np.concatenate([days, days[:-1] + 86_400 * 10**9 - 1, [1 - 2**63, 2**63 - 1]]).astype("M8[ns]")
    assert lines(times) == [f"'{text}Z'" for text in np.datetime_as_string(times, unit="ns").tolist()]


def test_each_second_of_a_day():
    """In an order in which no second is that of the row before, and in one in which several are."""
    seconds = np.arange(86_400, dtype=np.int64)
    for times in (seconds[::-7] * 10**9 + seconds[::-7] * 11_574, np.repeat(seconds[:9], 3) * 10**9 + np.arange(27)):
        told = times.astype("M8[ns]")
        assert lines(told, quote=b"") == [f"{text}Z" for text in np.datetime_as_string(told, unit="ns").tolist()]


def test_what_was_not_seen():
    mask = np.array([True, False, True])
    numbers, texts = np.arange(3, dtype="u4"), np.array([1, 0, 1])
    told = lines((numbers, mask, None), (texts, ~mask, [b"", b"long"]), numbers.astype("M8[ns]"), numbers)
    epoch = "1970-01-01T00:00:00.00000000"
    assert told == [f"-;long;'{epoch}0Z';0", f"1;-;'{epoch}1Z';1", f"-;long;'{epoch}2Z';2"]


@pytest.mark.parametrize("width", [1, 1000, 262_143, 262_144, 262_145, 1_000_000])
def test_more_than_the_buffer(width):
    """Lines that fill it many times, and lines that are longer."""
    written: list[int] = []
    count = 3_000_000 // width
    columns: Any = [(b"", np.arange(count) % 2, None, [b"a" * width, b"b"])]
    told = bytearray()

    def write(octets: memoryview) -> None:
        written.append(len(octets))
        told.extend(octets)

    write_lines(write, columns, count, null=b"", quote=b"", end=b"\n")
    assert told == b"".join((b"a" * width, b"b")[place % 2] + b"\n" for place in range(count))
    assert max(written) <= max(1 << 18, width + 2)


def test_no_rows():
    assert lines(np.empty(0, "u1"), (np.empty(0, "i8"), None, [])) == []


@pytest.mark.parametrize(
    ("column", "error"),
    [
        ((np.arange(3), None, None), ValueError),
        ((np.arange(4).reshape(2, 2), None, None), ValueError),
        ((np.arange(2), np.ones(3, bool), None), ValueError),
        ((np.arange(2.0), None, None), ValueError),
        ((np.array(["a", "b"]), None, None), ValueError),
        ((np.array([0, 2]), None, [b"a", b"b"]), IndexError),
        ((np.array([0, -1]), None, [b"a", b"b"]), IndexError),
        ((np.array([0, 1]), None, [b"a", "b"]), TypeError),
    ],
)
def test_what_is_refused(column, error):
    with pytest.raises(error):
        lines(np.arange(2, dtype="u1"), column)
    with pytest.raises((TypeError, ValueError)):
        write_lines(bytearray().extend, [("", *column)], 2, null=b"", quote=b"", end=b"")


def test_texts_and_marks_of_each_length():
    """Octets are copied so many at once: none of the next ones may be left, and none behind the last be missing."""
    texts = ["".join(chr(97 + place % 26) for place in range(length)) for length in range(50)]
    wanted = [f"{text}<{text};7" for text in texts]
    for end in ("\n", "#" * 15, "#" * 16, "#" * 17, "#" * 33):
        told = bytearray()
        places = np.arange(50)
        columns: Any = [
            (b"", places, None, [text.encode() for text in texts]),
            (b"<", places[::-1], None, [text.encode() for text in texts[::-1]]),
            (b";", np.full(50, 7, "u1"), None, None),
        ]
        write_lines(told.extend, columns, 50, null=b"", quote=b"", end=end.encode())
        assert told.decode() == "".join(line + end for line in wanted)
