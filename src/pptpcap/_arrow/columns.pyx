"""The columns of a structured array, each contiguous.

Knows NumPy's structured arrays.  Must not know tables.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from libc.stdint cimport int32_t, uint16_t
from libc.string cimport memcpy

import numpy as np

cdef enum:
    # Octets of rows that are read at a time: they stay in the nearest cache while every column is taken from them.
    BLOCK = 1 << 14
    HUGE_PAGE = 2 << 20
    # Where a column may begin.
    LINE = 64


cdef struct Column:
    size_t offset
    size_t width
    # Where its next value belongs.
    unsigned char* values


cdef class Columns:
    """Room for some columns of rows, each contiguous, which are added one piece behind the other.

    All columns are in one array: for 4 MiB or more NumPy asks for huge pages.  Faults of small pages would take longer
    than the copies.

    Parameters
    ----------
    kind : numpy.dtype
        Structured.
    names : iterable of str
        Names of columns.
    room : int
        Rows at most.
    """

    cdef object kind
    cdef dict arrays
    cdef bytearray layout
    cdef size_t length
    cdef size_t room

    def __init__(self, kind not None, names not None, size_t room):
        cdef size_t octets = 0, page
        cdef Column* column
        cdef dict places = {}
        for name in names:
            places[name] = octets
            octets += (room * <size_t>kind[name].itemsize + LINE - 1) & ~<size_t>(LINE - 1)
        page = HUGE_PAGE if octets >= HUGE_PAGE else LINE
        # So much that a page more begins in it than is filled.
        block = np.empty((octets + 2 * page - 1) & ~(page - 1), np.uint8)
        block = block[-block.ctypes.data & (page - 1):]
        self.kind, self.room, self.arrays = kind, room, {}
        self.layout = bytearray(max(len(places), 1) * sizeof(Column))
        column = <Column*>PyByteArray_AS_STRING(self.layout)
        for name, place in places.items():
            values = block[place:place + room * kind[name].itemsize]
            column.offset, column.width = kind.fields[name][1], kind[name].itemsize
            column.values = address_of(values)
            column += 1
            self.arrays[name] = values.view(kind[name].base).reshape(-1, *kind[name].shape)

    def add(self, rows not None):
        """Copy the columns of a structured array of this dtype, for whose rows there is room."""
        cdef size_t length = len(rows), stride = self.kind.itemsize, count = len(self.arrays)
        cdef const unsigned char* start
        cdef Column* columns = <Column*>PyByteArray_AS_STRING(self.layout)
        if rows.dtype != self.kind or length > self.room - self.length:
            raise ValueError("these rows have other columns, or there is no room for them")
        rows = np.ascontiguousarray(rows)
        start = address_of(rows.view(np.uint8))
        with nogil:
            separate(start, stride, length, columns, count)
        self.length += length

    @property
    def by_name(self):
        """The columns of all rows so far, by name."""
        return {name: values[:self.length] for name, values in self.arrays.items()}


def separated(rows not None, names not None):
    """Contiguous copies of some columns of a structured array of one dimension, by name."""
    columns = Columns(rows.dtype, names, len(rows))
    columns.add(rows)
    return columns.by_name


def numbers_in(values not None):
    """For each number that values of this type can be, whether one of them is.

    Parameters
    ----------
    values : numpy.ndarray of uint8 or uint16
        Contiguous.
    """
    found = np.zeros(1 << 8 * values.itemsize, np.bool_)
    cdef unsigned char[::1] marks = found.view(np.uint8)
    cdef const unsigned char[::1] octets = values.view(np.uint8)
    cdef size_t length = len(values), width = values.itemsize
    cdef unsigned char* first_mark = &marks[0]
    cdef const unsigned char* first = &octets[0] if length else NULL
    with nogil:
        mark(first_mark, first, width, length)
    return found


def looked_up(values not None, places not None):
    """The place of each value, as numbers of 32 bits.

    Parameters
    ----------
    values : numpy.ndarray of uint8 or uint16
        Contiguous.
    places : numpy.ndarray of int32
        The place of each number that values of this type can be.
    """
    found = np.empty(len(values), np.int32)
    cdef int32_t[::1] indexes = found
    cdef const int32_t[::1] table = places
    cdef const unsigned char[::1] octets = values.view(np.uint8)
    cdef int32_t* first_index
    cdef const int32_t* first_place
    cdef const unsigned char* first
    cdef size_t length = len(values), width = values.itemsize
    if len(places) != 1 << 8 * width:
        raise ValueError("there is not a place for each number")
    if not length:
        return found
    first_index, first_place, first = &indexes[0], &table[0], &octets[0]
    with nogil:
        look_up(first_index, first_place, first, width, length)
    return found


cdef unsigned char* address_of(const unsigned char[::1] octets) noexcept:
    return <unsigned char*>&octets[0] if octets.shape[0] else NULL


cdef void separate(
    const unsigned char* rows, size_t stride, size_t length, Column* columns, size_t count
) noexcept nogil:
    """Copy each column of `length` rows of `stride` octets to its values, and go on behind them."""
    cdef size_t step = max(<size_t>1, BLOCK // stride), some, number
    while length:
        some = min(step, length)
        for number in range(count):
            gather(columns[number].values, rows + columns[number].offset, stride, columns[number].width, some)
            columns[number].values += some * columns[number].width
        rows += some * stride
        length -= some


cdef inline void gather(
    unsigned char* to, const unsigned char* start, size_t stride, size_t width, size_t length
) noexcept nogil:
    cdef size_t row
    # With a constant width, each copy is one load and one store.
    if width == 1:
        for row in range(length):
            to[row] = start[row * stride]
    elif width == 2:
        for row in range(length):
            memcpy(to + 2 * row, start + row * stride, 2)
    elif width == 4:
        for row in range(length):
            memcpy(to + 4 * row, start + row * stride, 4)
    elif width == 8:
        for row in range(length):
            memcpy(to + 8 * row, start + row * stride, 8)
    elif width == 16:
        for row in range(length):
            memcpy(to + 16 * row, start + row * stride, 16)
    else:
        for row in range(length):
            memcpy(to + width * row, start + row * stride, width)


cdef void mark(unsigned char* marks, const unsigned char* values, size_t width, size_t length) noexcept nogil:
    cdef size_t row
    if width == 1:
        for row in range(length):
            marks[values[row]] = True
    else:
        for row in range(length):
            marks[(<const uint16_t*>values)[row]] = True


cdef void look_up(
    int32_t* indexes, const int32_t* places, const unsigned char* values, size_t width, size_t length
) noexcept nogil:
    cdef size_t row
    if width == 1:
        for row in range(length):
            indexes[row] = places[values[row]]
    else:
        for row in range(length):
            indexes[row] = places[(<const uint16_t*>values)[row]]
