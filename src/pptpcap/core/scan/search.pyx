"""Searches a range for the first plausible record or block (decoding section 1d.4).

Must not know what makes a place plausible; see ``salvage``.
"""

from libc.stdint cimport int64_t, uint8_t

from ..base.numbers cimport Caps
from .ranges cimport caps_of, format_of
from .parts cimport Format
from .salvage cimport PLAUSIBLE, blocks_plausible, records_plausible


cdef int64_t find(
    const Format* format, const Caps* caps, const uint8_t* data, int64_t at, int64_t stop, int64_t size, bint final,
) noexcept nogil:
    while at < stop:
        if format.has_blocks:
            if blocks_plausible(format.big_endian, caps, data, at, size, final) == PLAUSIBLE:
                return at
        elif records_plausible(format, caps, data, at, size, final) == PLAUSIBLE:
            return at
        at += 1
    return at


def find_record(
    const unsigned char[::1] data not None,
    Py_ssize_t start,
    Py_ssize_t stop,
    object container,
    object limits,
    *,
    bint final=True,
):
    """The first plausible place in ``data[start:stop]``, else `stop`; see ``pptpcap.engine.Engine.find_record``."""
    cdef Caps caps = caps_of(limits)
    cdef Format format
    cdef int64_t size = data.shape[0]
    cdef int64_t found
    if not 0 <= start <= stop <= size:
        raise ValueError(f"{start} to {stop} is no range of {size} octets")
    if start == stop:
        return stop
    format = format_of(container)
    with nogil:
        found = find(&format, &caps, &data[0], start, stop, size, final)
    return found
