"""Columns leave the rows of an array contiguous and whole, whatever their width and the pieces they come in."""

from __future__ import annotations

import numpy as np
import pytest

from pptpcap._arrow.columns import Columns, looked_up, numbers_in, separated

KIND = np.dtype(
    [("one", "u1"), ("two", "<i2"), ("four", "<u4"), ("time", "<M8[ns]"), ("address", "u1", 16), ("text", "S5")]
)
NAMES = list(KIND.fields or ())
# Fewer rows than are copied at a time, as many, and more.
LENGTHS = [0, 1, (1 << 14) // KIND.itemsize, 3 * (1 << 14) // KIND.itemsize + 1]


def rows_of(length: int) -> np.ndarray:
    """Rows of any octets."""
    octets = np.random.default_rng(length).integers(0, 256, length * KIND.itemsize, np.uint8)
    return octets.view(KIND)


def test_values_by_hand():
    rows = np.zeros(3, KIND)
    rows["two"], rows["text"] = [1, -2, 3], [b"a", b"", b"abcde"]
    rows["address"][1] = range(16)
    found = separated(rows, ["text", "two", "address"])
    assert [*found] == ["text", "two", "address"]
    assert found["text"].tolist() == [b"a", b"", b"abcde"]
    assert found["two"].tolist() == [1, -2, 3]
    assert found["address"].tolist() == [[0] * 16, [*range(16)], [0] * 16]


@pytest.mark.parametrize("length", LENGTHS)
def test_each_width(length):
    rows = rows_of(length)
    found = separated(rows, NAMES)
    for name in NAMES:
        assert found[name].flags.c_contiguous
        assert found[name].flags.aligned
        assert (found[name].dtype, found[name].shape) == (rows[name].dtype, rows[name].shape)
        assert found[name].tobytes() == rows[name].tobytes()


def test_rows_that_are_not_contiguous():
    rows = rows_of(1000)
    assert separated(rows[::3], ["text"])["text"].tobytes() == rows[::3]["text"].tobytes()


@pytest.mark.parametrize("room", [1000, 200_000])
def test_pieces_of_any_size(room):
    rows = rows_of(1000)
    columns = Columns(KIND, NAMES, room)
    for start, stop in ((0, 0), (0, 1), (1, 700), (700, 1000)):
        columns.add(rows[start:stop])
        for name, values in columns.by_name.items():
            assert values.tobytes() == rows[name][:stop].tobytes()


def test_more_than_there_is_room_for():
    columns = Columns(KIND, ["one"], 10)
    columns.add(rows_of(6))
    with pytest.raises(ValueError, match="room"):
        columns.add(rows_of(5))
    with pytest.raises(ValueError, match="other columns"):
        columns.add(np.zeros(1, [("one", "u1")]))
    columns.add(rows_of(4))
    assert columns.by_name["one"].tolist() == [*rows_of(6)["one"], *rows_of(4)["one"]]


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_places_of_numbers(dtype):
    values = np.array([3, 255, 0, 3], dtype)
    assert np.flatnonzero(numbers_in(values)).tolist() == [0, 3, 255]
    places = np.zeros(len(numbers_in(values)), np.int32)
    places[[0, 3, 255]] = [-7, 8, 1 << 30]
    assert looked_up(values, places).tolist() == [8, 1 << 30, -7, 8]
    assert not numbers_in(values[:0]).any()
    assert looked_up(values[:0], places).tolist() == []
    with pytest.raises(ValueError, match="place"):
        looked_up(values, places[1:])
