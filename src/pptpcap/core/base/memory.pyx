"""Memory of arrays: from ``malloc``, or mapped if large.

Must not know items.

Page faults are the largest cost of a walk.  Mapped memory grows without a copy and is populated many pages at a time,
with huge pages where those are cheap.  Huge pages are expensive if memory is fragmented or a host has to find it first,
so their cost is measured; after an expensive one, small pages are used for a while.
"""

from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    #if defined(__has_feature)
    #if __has_feature(address_sanitizer)
    #define __SANITIZE_ADDRESS__ 1
    #endif
    #endif
    /* What is mapped has no red zones: with the sanitizer all memory is malloc's. */
    #if defined(__linux__) && !defined(__SANITIZE_ADDRESS__)
    #include <sys/mman.h>
    #include <time.h>
    #include <unistd.h>
    #ifndef MADV_POPULATE_WRITE
    #define MADV_POPULATE_WRITE 23
    #endif
    #define PPTPCAP_MAPS 1
    static void* pptpcap_map(size_t size) {
        void* found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return found == MAP_FAILED ? NULL : found;
    }
    static void* pptpcap_remap(void* p, size_t old, size_t size) {
        void* found = mremap(p, old, size, MREMAP_MAYMOVE);
        return found == MAP_FAILED ? NULL : found;
    }
    static void pptpcap_unmap(void* p, size_t size) { munmap(p, size); }
    /* A hint: a system without huge pages refuses, and nothing is lost. */
    static void pptpcap_choose_pages(void* p, size_t size, int huge) {
        madvise(p, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    }
    /* Have pages for `size` octets from `p` on; the processor's time of this thread that it took, in ns. */
    static int64_t pptpcap_bring(char* p, size_t size) {
        struct timespec before, after;
        size_t inside = (size_t)p & ((size_t)sysconf(_SC_PAGESIZE) - 1);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        madvise(p - inside, inside + size, MADV_POPULATE_WRITE);
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        return (after.tv_sec - before.tv_sec) * INT64_C(1000000000) + after.tv_nsec - before.tv_nsec;
    }
    #else
    #define PPTPCAP_MAPS 0
    #define pptpcap_map(size) NULL
    #define pptpcap_remap(p, old, size) NULL
    #define pptpcap_unmap(p, size) ((void)0)
    #define pptpcap_choose_pages(p, size, huge) ((void)0)
    #define pptpcap_bring(p, size) ((int64_t)0)
    #endif
    #if defined(__GNUC__)
    #define pptpcap_load(p) __atomic_load_n(p, __ATOMIC_RELAXED)
    #define pptpcap_store(p, value) __atomic_store_n(p, value, __ATOMIC_RELAXED)
    #else
    #define pptpcap_load(p) (*(p))
    #define pptpcap_store(p, value) (*(p) = (value))
    #endif
    """
    bint MAPS "PPTPCAP_MAPS"
    void* map_memory "pptpcap_map"(size_t size) noexcept nogil
    void* remap_memory "pptpcap_remap"(void* p, size_t old, size_t size) noexcept nogil
    void unmap_memory "pptpcap_unmap"(void* p, size_t size) noexcept nogil
    void choose_pages "pptpcap_choose_pages"(void* p, size_t size, bint huge) noexcept nogil
    int64_t bring_pages "pptpcap_bring"(char* p, size_t size) noexcept nogil
    int64_t load "pptpcap_load"(int64_t* p) noexcept nogil
    void store "pptpcap_store"(int64_t* p, int64_t value) noexcept nogil

cdef enum:
    # From this size on malloc always maps; smaller blocks it reuses.
    LARGE = 32 << 20
    HUGE_PAGE = 2 << 20
    # Small pages are populated in strides that stay in the cache until they are written.
    SMALL_STRIDE = 128 << 10
    # A huge page that took more ns than this costs as much as the small pages that it replaces.
    DEAR = 1_000_000
    # After an expensive one, this many bytes get small pages; the number doubles each time, up to the maximum.
    LEAST_PAUSE = 128 << 20
    MOST_PAUSE = 1 << 30

# Global to the process: bytes that still get small pages, and the last such number.  Threads may race here:
# no row depends on it.
cdef int64_t pause = 0
cdef int64_t last_pause = 0


cdef void memory_init(Memory* memory) noexcept nogil:
    memset(memory, 0, sizeof(Memory))


cdef void memory_free(Memory* memory) noexcept nogil:
    if memory.mapped:
        unmap_memory(memory.data, memory.size)
    else:
        free(memory.data)
    memory_init(memory)


cdef inline size_t whole(size_t size) noexcept nogil:
    # A multiple of the huge page size is also aligned to it.
    return (size + HUGE_PAGE - 1) & ~<size_t>(HUGE_PAGE - 1)


cdef bint map_new(Memory* memory, size_t size) noexcept nogil:
    cdef char* data = <char*>map_memory(size)
    if data == NULL:
        return False
    memory_init(memory)
    memory.data = data
    memory.size = size
    memory.mapped = True
    memory.huge_pages = load(&pause) <= 0
    choose_pages(data, size, memory.huge_pages)
    return True


cdef bint memory_resize(Memory* memory, size_t size, size_t used) noexcept nogil:
    """Resize to `size` bytes and keep the first `used`; map large memory.

    False when memory is out, and nothing is changed.
    """
    cdef Memory larger
    cdef char* data
    if memory.mapped:
        size = whole(size)
        data = <char*>remap_memory(memory.data, memory.size, size)
    elif MAPS and size >= LARGE:
        if not map_new(&larger, whole(size)):
            return False
        memory_bring(&larger, used)
        if used:
            memcpy(larger.data, memory.data, used)
        memory_free(memory)
        memory[0] = larger
        return True
    else:
        data = <char*>realloc(memory.data, size)
    if data == NULL:
        return False
    memory.data = data
    memory.size = size
    # Many pages from malloc were used before; the kernel supplies the others.
    memory.present = min(memory.present, size) if memory.mapped else size
    return True


cdef bint memory_zeroed(Memory* memory, size_t size) noexcept nogil:
    """Allocate zeroed memory; False if memory runs out."""
    memory_init(memory)
    if MAPS and size >= LARGE:
        if not map_new(memory, whole(size)):
            return False
        memory_bring(memory, size)
        return True
    memory.data = <char*>calloc(1, size)
    memory.size = size
    memory.present = size
    return memory.data != NULL


cdef void memory_bring(Memory* memory, size_t size) noexcept nogil:
    """Populate the pages of the first `size` bytes, and perhaps more, to avoid page faults."""
    cdef size_t end
    cdef int64_t left
    while memory.present < size:
        left = load(&pause)
        if memory.huge_pages != (left <= 0):
            memory.huge_pages = left <= 0
            choose_pages(memory.data, memory.size, memory.huge_pages)
        end = HUGE_PAGE if memory.huge_pages else SMALL_STRIDE
        end = min((memory.present + end) & ~(end - 1), memory.size)
        if not memory.huge_pages:
            bring_pages(memory.data + memory.present, end - memory.present)
            store(&pause, left - <int64_t>(end - memory.present))
        elif bring_pages(memory.data + memory.present, end - memory.present) > DEAR:
            store(&last_pause, min(max(2 * load(&last_pause), <int64_t>LEAST_PAUSE), <int64_t>MOST_PAUSE))
            store(&pause, load(&last_pause))
        else:
            store(&last_pause, load(&last_pause) >> 1)
        memory.present = end
