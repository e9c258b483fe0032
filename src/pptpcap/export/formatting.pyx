"""Columns as lines of text: numbers, truths, times, and texts that are escaped already.

Knows how numbers and times are written.  Must not know formats: what stands before, between and behind cells is given.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from libc.stdint cimport INT64_MIN, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

import numpy as np

cdef enum:
    # Octets that are written at a time, or those of one line that is longer.
    BUFFER = 1 << 18
    # 2018-01-01T12:00:00. is the text of a second, and the widest cell is a time, with nine digits and Z behind that.
    SECOND = 20
    WIDEST = 30
    # Octets that are copied at once, because one copy of a constant length is faster than a call: so many may be read
    # behind what is put, and written behind what is asked for.
    AT_ONCE = 16
    ZERO = 48

cdef enum Kind:
    TRUTH, UNSIGNED8, UNSIGNED16, UNSIGNED32, UNSIGNED64, SIGNED16, SIGNED32, SIGNED64, TIME, TEXT

cdef dict KINDS = {
    "b1": TRUTH,
    "u1": UNSIGNED8,
    "u2": UNSIGNED16,
    "u4": UNSIGNED32,
    "u8": UNSIGNED64,
    "i2": SIGNED16,
    "i4": SIGNED32,
    "i8": SIGNED64,
    "M8": TIME,
}

cdef bytes PAIRS = b"".join(b"%02d" % number for number in range(100))
cdef const char* pairs = PAIRS
cdef bytes TRUTHS = b"true".ljust(AT_ONCE) + b"false".ljust(AT_ONCE)
cdef const char* truths = TRUTHS


cdef struct Column:
    Kind kind
    const char* before
    size_t before_octets
    const char* values
    # NULL where all values were seen.
    const char* mask
    # Texts one behind the other, and where each begins.
    const char* texts
    const int64_t* starts
    # The last second that was written, as text.
    int64_t second
    char second_text[SECOND]


cdef struct Marks:
    const char* null
    size_t null_octets
    const char* quote
    size_t quote_octets
    const char* end
    size_t end_octets
    # Between date and time of day; digits of the second's fraction; whether UTC is said.
    char separator
    int digits
    bint says_zone


def write_lines(
    write, list columns not None, Py_ssize_t length, *, bytes null not None, bytes quote not None, bytes end not None,
    bytes separator not None=b"T", int digits=9, bint says_zone=True,
):
    """Write a line for each row.

    Parameters
    ----------
    write : callable
        Takes octets, which change after it returns.
    columns : list of (bytes, numpy.ndarray, numpy.ndarray or None, list of bytes or None)
        What stands before each cell of a column, its values, a mask of those that were not seen, and the texts that its
        values are indexes of.
    length : int
        Rows.
    null : bytes
        What stands for a value that was not seen.
    quote : bytes
        What stands before and behind a time.
    end : bytes
        What stands behind the last cell of a row.
    separator : bytes
        The octet between the date and the time of day.
    digits : int
        Digits of the fraction of a second, 6 or 9.
    says_zone : bool
        Whether a Z stands behind a time.

    Raises
    ------
    ValueError
        Where a column has another length, or values that cannot be written.
    IndexError
        Where a value is no index of its texts.
    """
    cdef bytearray room = bytearray(len(columns) * sizeof(Column))
    cdef Column* first = <Column*>PyByteArray_AS_STRING(room)
    cdef list held = []
    cdef Marks marks = Marks(
        padded(null, held), len(null), padded(quote, held), len(quote), padded(end, held), len(end), ord(separator),
        digits, says_zone,
    )
    cdef size_t count = len(columns), widest = len(end) + 1
    cdef size_t number, octets
    cdef Py_ssize_t row = 0, stop, step
    cdef bytearray buffer
    cdef char* out
    cdef bytes before
    if not length:
        return
    for number in range(count):
        before, values, mask, texts = columns[number]
        first[number].before = padded(before, held)
        first[number].before_octets = len(before)
        first[number].second = INT64_MIN
        if texts is None:
            kind = KINDS.get(f"{values.dtype.kind}{values.dtype.itemsize}")
            if kind is None:
                raise ValueError(f"values of type {values.dtype} cannot be written")
            first[number].kind = kind
            longest = WIDEST + 2 * len(quote)
        else:
            first[number].kind = TEXT
            values = np.asarray(values)
            if values.min() < 0 or values.max() >= len(texts):
                raise IndexError("a value is no index of its texts")
            values = np.asarray(values, np.int32)
            first[number].texts = padded(b"".join(texts), held)
            starts = np.cumsum([0, *map(len, texts)], dtype=np.int64)
            first[number].starts = <const int64_t*>address_of(starts, len(texts) + 1, held)
            longest = max(map(len, texts))
        first[number].values = address_of(values, length, held)
        if mask is not None and mask.any():
            first[number].mask = address_of(np.asarray(mask, np.bool_), length, held)
        widest += len(before) + max(longest, len(null))
    buffer = bytearray(max(<size_t>BUFFER, widest) + AT_ONCE)
    out = PyByteArray_AS_STRING(buffer)
    step = (len(buffer) - AT_ONCE) // widest
    while row < length:
        stop = min(row + step, length)
        with nogil:
            octets = fill(out, first, count, row, stop, &marks)
        write(memoryview(buffer)[:octets])
        row = stop


cdef const char* padded(bytes octets, list held) except NULL:
    """Where octets begin, behind which as many can be read as are copied at once."""
    octets += bytes(AT_ONCE)
    held.append(octets)
    return octets


cdef const char* address_of(object array, Py_ssize_t length, list held) except NULL:
    """Where the values of an array begin, which stay there while `held` has it."""
    cdef const unsigned char[::1] octets
    array = np.ascontiguousarray(array)
    if array.ndim != 1 or len(array) != length:
        raise ValueError("a column does not have the length of the others")
    held.append(array)
    octets = array.view(np.uint8)
    return <const char*>&octets[0]


cdef size_t fill(
    char* start, Column* columns, size_t count, Py_ssize_t row, Py_ssize_t stop, Marks* marks
) noexcept nogil:
    """Write rows where there is room for the widest; the octets that were written."""
    cdef char* out = start
    cdef Column* column
    cdef size_t number
    while row < stop:
        for number in range(count):
            column = &columns[number]
            out = put(out, column.before, column.before_octets)
            if column.mask != NULL and column.mask[row]:
                out = put(out, marks.null, marks.null_octets)
            else:
                out = put_cell(out, column, row, marks)
        out = put(out, marks.end, marks.end_octets)
        row += 1
    return <size_t>(out - start)


cdef inline char* put_cell(char* out, Column* column, Py_ssize_t row, Marks* marks) noexcept nogil:
    cdef const char* values = column.values
    cdef int64_t place
    if column.kind == TEXT:
        place = (<const int32_t*>values)[row]
        return put(out, column.texts + column.starts[place], <size_t>(column.starts[place + 1] - column.starts[place]))
    elif column.kind == UNSIGNED8:
        return put_number(out, (<const uint8_t*>values)[row])
    elif column.kind == UNSIGNED16:
        return put_number(out, (<const uint16_t*>values)[row])
    elif column.kind == UNSIGNED32:
        return put_number(out, (<const uint32_t*>values)[row])
    elif column.kind == UNSIGNED64:
        return put_number(out, (<const uint64_t*>values)[row])
    elif column.kind == SIGNED16:
        return put_signed(out, (<const int16_t*>values)[row])
    elif column.kind == SIGNED32:
        return put_signed(out, (<const int32_t*>values)[row])
    elif column.kind == SIGNED64:
        return put_signed(out, (<const int64_t*>values)[row])
    elif column.kind == TRUTH:
        return put(out, truths, 4) if (<const uint8_t*>values)[row] else put(out, truths + AT_ONCE, 5)
    out = put(out, marks.quote, marks.quote_octets)
    out = put_time(out, column, (<const int64_t*>values)[row], marks)
    return put(out, marks.quote, marks.quote_octets)


cdef inline char* put(char* out, const char* octets, size_t count) noexcept nogil:
    memcpy(out, octets, AT_ONCE)
    if count > AT_ONCE:
        memcpy(out + AT_ONCE, octets + AT_ONCE, count - AT_ONCE)
    return out + count


cdef inline char* put_signed(char* out, int64_t number) noexcept nogil:
    if number >= 0:
        return put_number(out, <uint64_t>number)
    out[0] = b"-"
    # Of the least number, too, whose negative is no signed one.
    return put_number(out + 1, <uint64_t>0 - <uint64_t>number)


cdef inline char* put_number(char* out, uint64_t number) noexcept nogil:
    cdef uint64_t left = number
    cdef char* end = out + 1
    cdef char* at
    while left >= 10_000:
        left = left // 10_000
        end += 4
    end += (left >= 10) + (left >= 100) + (left >= 1_000)
    at = end
    while number >= 100:
        at -= 2
        memcpy(at, pairs + 2 * (number % 100), 2)
        number = number // 100
    if number >= 10:
        memcpy(out, pairs + 2 * number, 2)
    else:
        out[0] = <char>(ZERO + number)
    return end


cdef inline char* put_time(char* out, Column* column, int64_t time, const Marks* marks) noexcept nogil:
    """A time in nanoseconds since 1970, as ISO 8601 in UTC."""
    cdef int64_t second = time // 1_000_000_000, rest = time % 1_000_000_000
    cdef int at
    if rest < 0:
        rest += 1_000_000_000
        second -= 1
    if second != column.second:
        column.second = second
        write_second(column.second_text, second)
        column.second_text[10] = marks.separator
    memcpy(out, column.second_text, SECOND)
    out += SECOND
    for at in range(7, 0, -2):
        memcpy(out + at, pairs + 2 * (rest % 100), 2)
        rest = rest // 100
    out[0] = <char>(ZERO + rest)
    out += marks.digits
    out[0] = b"Z"
    return out + marks.says_zone


cdef void write_second(char* out, int64_t second) noexcept nogil:
    """The date and the time of day, and a point behind them.

    Years begin in March here, so that a leap day is the last of its year.  They are counted from 0000-03-01 in eras of
    400 years, which have 146,097 days.  Every time of 64 bits is behind that day.
    """
    cdef int64_t day = second // 86_400, of_day = second % 86_400
    cdef int64_t era, of_era, year, of_year, month
    if of_day < 0:
        of_day += 86_400
        day -= 1
    day += 719_468
    era, of_era = day // 146_097, day % 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    put_pair(out + 8, of_year - (153 * month + 2) // 5 + 1)
    month = month + 3 if month < 10 else month - 9
    year += 400 * era + (month <= 2)
    put_pair(out, year // 100)
    put_pair(out + 2, year % 100)
    out[4] = b"-"
    put_pair(out + 5, month)
    out[7] = b"-"
    put_pair(out + 11, of_day // 3_600)
    out[13] = b":"
    put_pair(out + 14, of_day // 60 % 60)
    out[16] = b":"
    put_pair(out + 17, of_day % 60)
    out[19] = b"."


cdef inline void put_pair(char* out, int64_t number) noexcept nogil:
    memcpy(out, pairs + 2 * number, 2)
