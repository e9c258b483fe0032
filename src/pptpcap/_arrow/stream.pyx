"""The C data interface of Arrow: schemas, batches and streams in capsules.

Knows the structs of the interface and buffers.  Must not know tables.  What a consumer holds refers to the Python
objects whose memory it reads; its release gives them back.
"""

from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.errno cimport EIO
from libc.stdint cimport int64_t
from libc.string cimport memset

cdef extern from *:
    """
    #include <stdint.h>
    #ifndef ARROW_C_DATA_INTERFACE
    #define ARROW_C_DATA_INTERFACE
    struct ArrowSchema {
        const char* format; const char* name; const char* metadata; int64_t flags; int64_t n_children;
        struct ArrowSchema** children; struct ArrowSchema* dictionary;
        void (*release)(struct ArrowSchema*); void* private_data;
    };
    struct ArrowArray {
        int64_t length; int64_t null_count; int64_t offset; int64_t n_buffers; int64_t n_children;
        const void** buffers; struct ArrowArray** children; struct ArrowArray* dictionary;
        void (*release)(struct ArrowArray*); void* private_data;
    };
    struct ArrowArrayStream {
        int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema*);
        int (*get_next)(struct ArrowArrayStream*, struct ArrowArray*);
        const char* (*get_last_error)(struct ArrowArrayStream*);
        void (*release)(struct ArrowArrayStream*); void* private_data;
    };
    #endif
    """
    struct ArrowSchema:
        const char* format
        const char* name
        const char* metadata
        int64_t flags
        int64_t n_children
        ArrowSchema** children
        ArrowSchema* dictionary
        void (*release)(ArrowSchema*) noexcept
        void* private_data

    struct ArrowArray:
        int64_t length
        int64_t null_count
        int64_t offset
        int64_t n_buffers
        int64_t n_children
        const void** buffers
        ArrowArray** children
        ArrowArray* dictionary
        void (*release)(ArrowArray*) noexcept
        void* private_data

    struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream*, ArrowSchema*) noexcept
        int (*get_next)(ArrowArrayStream*, ArrowArray*) noexcept
        const char* (*get_last_error)(ArrowArrayStream*) noexcept
        void (*release)(ArrowArrayStream*) noexcept
        void* private_data

cdef enum:
    NULLABLE = 2
    MOST_BUFFERS = 3


cdef class Field:
    """One column of a schema, or what a column's dictionary holds.

    Parameters
    ----------
    name, form, metadata : bytes
        As the interface wants them.
    children : list of Field
        Columns, of a whole batch.
    dictionary : Field, optional
        What its numbers stand for.
    """

    cdef bytes name
    cdef bytes form
    cdef bytes metadata
    cdef list children
    cdef Field dictionary

    def __init__(self, bytes name, bytes form, bytes metadata=b"", list children=None, Field dictionary=None):
        self.name = name
        self.form = form
        self.metadata = metadata
        self.children = children or []
        self.dictionary = dictionary

    @property
    def names(self):
        """Names of the columns of a batch."""
        return [(<Field>child).name for child in self.children]


cdef class Cells:
    """The values of one column in one batch, or of all columns.

    Parameters
    ----------
    length, nulls : int
        Values, and how many of them are null.
    buffers : list
        Contiguous arrays of NumPy, bytes, or None; the first has a bit each that is not null.
    children : list of Cells
        Columns, of a whole batch.
    dictionary : Cells, optional
        What its numbers stand for.
    """

    cdef int64_t length
    cdef int64_t nulls
    cdef list buffers
    cdef list children
    cdef Cells dictionary

    def __init__(self, int64_t length, int64_t nulls, list buffers, list children=None, Cells dictionary=None):
        if len(buffers) > MOST_BUFFERS:
            raise ValueError(f"an array has at most {MOST_BUFFERS} buffers")
        self.length = length
        self.nulls = nulls
        self.buffers = buffers
        self.children = children or []
        self.dictionary = dictionary


cdef void release_schema(ArrowSchema* schema) noexcept with gil:
    cdef int64_t index
    for index in range(schema.n_children):
        if schema.children[index].release != NULL:
            schema.children[index].release(schema.children[index])
        PyMem_RawFree(schema.children[index])
    if schema.dictionary != NULL:
        if schema.dictionary.release != NULL:
            schema.dictionary.release(schema.dictionary)
        PyMem_RawFree(schema.dictionary)
    PyMem_RawFree(schema.children)
    Py_DECREF(<object>schema.private_data)
    schema.release = NULL


cdef void release_array(ArrowArray* array) noexcept with gil:
    cdef int64_t index
    for index in range(array.n_children):
        if array.children[index].release != NULL:
            array.children[index].release(array.children[index])
        PyMem_RawFree(array.children[index])
    if array.dictionary != NULL:
        if array.dictionary.release != NULL:
            array.dictionary.release(array.dictionary)
        PyMem_RawFree(array.dictionary)
    PyMem_RawFree(array.children)
    PyMem_RawFree(array.buffers)
    Py_DECREF(<object>array.private_data)
    array.release = NULL


cdef void* zeroed(size_t count, size_t size) except NULL:
    cdef void* found = PyMem_RawCalloc(max(count, <size_t>1), size)
    if found == NULL:
        raise MemoryError
    return found


cdef int fill_schema(ArrowSchema* schema, Field field) except -1:
    """Fill a schema; whatever is filled so far can be released if this fails."""
    cdef Field child
    memset(schema, 0, sizeof(ArrowSchema))
    Py_INCREF(field)
    schema.private_data = <void*>field
    schema.release = &release_schema
    schema.format = field.form
    schema.name = field.name
    schema.metadata = <const char*>field.metadata if field.metadata else NULL
    schema.flags = 0 if field.children else NULLABLE
    try:
        schema.children = <ArrowSchema**>zeroed(len(field.children), sizeof(ArrowSchema*))
        for child in field.children:
            schema.children[schema.n_children] = <ArrowSchema*>zeroed(1, sizeof(ArrowSchema))
            schema.n_children += 1
            fill_schema(schema.children[schema.n_children - 1], child)
        if field.dictionary is not None:
            schema.dictionary = <ArrowSchema*>zeroed(1, sizeof(ArrowSchema))
            fill_schema(schema.dictionary, field.dictionary)
    except BaseException:
        release_schema(schema)
        raise
    return 0


cdef const void* address_of(object buffer) except? NULL:
    """Where the octets of a contiguous buffer begin, which stay there while it lives."""
    cdef const unsigned char[::1] octets
    if isinstance(buffer, bytes):
        return <const void*><const char*>buffer
    octets = buffer.view("u1").reshape(-1)
    return <const void*>&octets[0] if octets.shape[0] else <const void*>b""


cdef int fill_array(ArrowArray* array, Cells cells) except -1:
    """Fill an array; whatever is filled so far can be released if this fails."""
    cdef Cells child
    cdef object buffer
    memset(array, 0, sizeof(ArrowArray))
    Py_INCREF(cells)
    array.private_data = <void*>cells
    array.release = &release_array
    array.length = cells.length
    array.null_count = cells.nulls
    try:
        array.buffers = <const void**>zeroed(MOST_BUFFERS, sizeof(void*))
        for buffer in cells.buffers:
            array.buffers[array.n_buffers] = NULL if buffer is None else address_of(buffer)
            array.n_buffers += 1
        array.children = <ArrowArray**>zeroed(len(cells.children), sizeof(ArrowArray*))
        for child in cells.children:
            array.children[array.n_children] = <ArrowArray*>zeroed(1, sizeof(ArrowArray))
            array.n_children += 1
            fill_array(array.children[array.n_children - 1], child)
        if cells.dictionary is not None:
            array.dictionary = <ArrowArray*>zeroed(1, sizeof(ArrowArray))
            fill_array(array.dictionary, cells.dictionary)
    except BaseException:
        release_array(array)
        raise
    return 0


cdef class Source:
    """What a stream gives: a schema, then batches of it until there are no more."""

    cdef Field field
    cdef object batches
    cdef bytes error


cdef int get_schema(ArrowArrayStream* stream, ArrowSchema* out) noexcept with gil:
    cdef Source source = <Source>stream.private_data
    try:
        fill_schema(out, source.field)
    except BaseException as error:
        source.error = repr(error).encode()
        return EIO
    return 0


cdef int get_next(ArrowArrayStream* stream, ArrowArray* out) noexcept with gil:
    cdef Source source = <Source>stream.private_data
    memset(out, 0, sizeof(ArrowArray))
    try:
        cells = next(source.batches, None)
        if cells is not None:
            fill_array(out, cells)
    except BaseException as error:
        source.error = f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace")
        return EIO
    return 0


cdef const char* get_last_error(ArrowArrayStream* stream) noexcept with gil:
    cdef Source source = <Source>stream.private_data
    return NULL if source.error is None else <const char*>source.error


cdef void release_stream(ArrowArrayStream* stream) noexcept with gil:
    Py_DECREF(<object>stream.private_data)
    stream.release = NULL


cdef void destroy_stream(object capsule) noexcept:
    cdef ArrowArrayStream* stream = <ArrowArrayStream*>PyCapsule_GetPointer(capsule, "arrow_array_stream")
    # NULL where a consumer took it over.
    if stream.release != NULL:
        stream.release(stream)
    PyMem_RawFree(stream)


cdef void destroy_schema(object capsule) noexcept:
    cdef ArrowSchema* schema = <ArrowSchema*>PyCapsule_GetPointer(capsule, "arrow_schema")
    if schema.release != NULL:
        schema.release(schema)
    PyMem_RawFree(schema)


def schema_capsule(Field field not None):
    """A capsule "arrow_schema"."""
    cdef ArrowSchema* schema = <ArrowSchema*>zeroed(1, sizeof(ArrowSchema))
    try:
        fill_schema(schema, field)
        return PyCapsule_New(schema, "arrow_schema", &destroy_schema)
    except BaseException:
        PyMem_RawFree(schema)
        raise


def stream_capsule(Field field not None, batches not None):
    """A capsule "arrow_array_stream" of an iterator of `Cells`, of which each has a child for each of the field."""
    cdef Source source = Source.__new__(Source)
    cdef ArrowArrayStream* stream = <ArrowArrayStream*>zeroed(1, sizeof(ArrowArrayStream))
    source.field = field
    source.batches = batches
    Py_INCREF(source)
    stream.get_schema = &get_schema
    stream.get_next = &get_next
    stream.get_last_error = &get_last_error
    stream.release = &release_stream
    stream.private_data = <void*>source
    try:
        return PyCapsule_New(stream, "arrow_array_stream", &destroy_stream)
    except BaseException:
        release_stream(stream)
        PyMem_RawFree(stream)
        raise
