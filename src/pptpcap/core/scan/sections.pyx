"""Converts the interfaces of a pcapng section between Python's form and the core's.

Knows both forms.  Must not know blocks.
"""

cimport cython
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from ..base.buffers cimport buffer_free, buffer_init, buffer_push, buffer_reserve
from .blocks cimport Interface, Section

from dataclasses import replace

from ...wire.container import Interface as Described


@cython.final
cdef class Interfaces:
    """The interfaces of a container as the core reads them; never changed, so that scans may share it."""

    def __cinit__(self):
        buffer_init(&self.rows, sizeof(Interface))

    def __dealloc__(self):
        buffer_free(&self.rows)

    def __reduce__(self):
        return prepared, (self.described,)


def prepared(tuple described not None):
    """The interfaces of a container, converted."""
    cdef Interfaces table = Interfaces.__new__(Interfaces)
    cdef Interface* interface
    table.described = described
    for one in described:
        interface = <Interface*>buffer_push(&table.rows)
        if interface == NULL:
            raise MemoryError
        interface.link_type = one.link_type
        interface.snap_length = one.snap_length
        interface.ticks = one.ticks
        interface.offset = one.offset
    return table


cdef Interfaces load_section(Section* section, object container):
    """What a walk knows of the section in which it begins; what is given back must live as long as the walk."""
    cdef Interfaces table = None
    buffer_init(&section.found, sizeof(Interface))
    buffer_init(&section.told, sizeof(uint8_t))
    section.changed = False
    section.big_endian = container.byte_order == "big"
    if isinstance(container.prepared, Interfaces):
        table = container.prepared
    # Other interfaces may have been put beside it.
    if table is None or table.described is not container.interfaces:
        table = prepared(container.interfaces)
    section.known = <const Interface*>table.rows.data
    section.known_count = table.rows.count
    return table


cdef object store_section(const Section* section, object container, Interfaces known):
    """The container as it is known behind the walk."""
    cdef Interfaces table
    cdef const Interface* interface
    cdef Py_ssize_t index
    cdef Py_ssize_t count = section.known_count + section.found.count
    if not section.changed:
        if container.prepared is known or not container.interfaces:
            return container
        return replace(container, prepared=known)
    described = []
    for index in range(section.found.count):
        interface = <const Interface*>section.found.data + index
        described.append(Described(interface.link_type, interface.snap_length, interface.ticks, interface.offset))
    table = Interfaces.__new__(Interfaces)
    table.described = (known.described if section.known_count else ()) + tuple(described)
    if not buffer_reserve(&table.rows, count):
        raise MemoryError
    if section.known_count:
        memcpy(table.rows.data, section.known, <size_t>section.known_count * sizeof(Interface))
    if section.found.count:
        memcpy(
            table.rows.data + section.known_count * <Py_ssize_t>sizeof(Interface), section.found.data,
            <size_t>section.found.count * sizeof(Interface),
        )
    table.rows.count = count
    byte_order = "big" if section.big_endian else "little"
    return replace(container, byte_order=byte_order, interfaces=table.described, prepared=table)


cdef void free_section(Section* section) noexcept nogil:
    buffer_free(&section.found)
    buffer_free(&section.told)
