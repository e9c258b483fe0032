"""Guards mapped files that shrink: lost pages read as zeros, and the loss is recorded.

Knows addresses.  Must not know files.  On systems other than Linux, a guard does nothing and reports no loss.
"""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #if defined(__linux__)
    #include <errno.h>
    #include <signal.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <sys/mman.h>
    #include <unistd.h>

    /* One guarded map.  Slots are used again and never freed, so that the handler walks the list without a lock. */
    typedef struct pptpcap_slot {
        int taken;
        uintptr_t start; /* 0 while nothing is guarded */
        size_t length;
        int64_t lost; /* offset of the page that was found missing first, or -1 */
        struct pptpcap_slot* next;
    } pptpcap_slot;

    static pptpcap_slot* pptpcap_slots;

    /* Put zeros in place of the map from the page of `address` on; 0 where that is in no guarded map. */
    static int pptpcap_put_zeros(uintptr_t address) {
        pptpcap_slot* slot = __atomic_load_n(&pptpcap_slots, __ATOMIC_ACQUIRE);
        for (; slot != NULL; slot = slot->next) {
            uintptr_t start = __atomic_load_n(&slot->start, __ATOMIC_ACQUIRE);
            size_t length = __atomic_load_n(&slot->length, __ATOMIC_ACQUIRE);
            uintptr_t page = address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
            int64_t none = -1;
            /* A slot that another thread is filling belongs to none of the maps that this one reads. */
            if (start == 0 || address - start >= length || __atomic_load_n(&slot->start, __ATOMIC_ACQUIRE) != start)
                continue;
            /* Record the loss first: no other thread sees the zeros without it. */
            __atomic_compare_exchange_n(
                &slot->lost, &none, (int64_t)(page - start), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
            return mmap((void*)page, length - (page - start), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                        -1, 0) != MAP_FAILED;
        }
        return 0;
    }

    /* Each time that the guard is put over a handler which was put over it, that is another function with its own
       predecessor: a handler that restores or calls the one below it never comes back to itself. */
    enum { PPTPCAP_LEVELS = 8 };
    static struct sigaction pptpcap_below[PPTPCAP_LEVELS];
    static int pptpcap_levels;

    static void pptpcap_handle(const struct sigaction* below, int number, siginfo_t* info, void* context) {
        int before = errno;
        int sent = info->si_code <= 0;
        if (info->si_code == BUS_ADRERR && pptpcap_put_zeros((uintptr_t)info->si_addr)) {
            errno = before;
            return;
        }
        if (below->sa_handler != SIG_DFL && below->sa_handler != SIG_IGN) {
            if (below->sa_flags & SA_RESETHAND)
                signal(number, SIG_DFL);
            errno = before;
            if (below->sa_flags & SA_SIGINFO)
                below->sa_sigaction(number, info, context);
            else
                below->sa_handler(number);
            return;
        }
        if (sent && below->sa_handler == SIG_IGN)
            return;
        /* What faulted is run again, and the system does what it would have done. */
        sigaction(number, below, NULL);
        if (sent)
            raise(number);
        errno = before;
    }

    #define PPTPCAP_LEVEL(n) \\
        static void pptpcap_handle_##n(int number, siginfo_t* info, void* context) { \\
            pptpcap_handle(&pptpcap_below[n], number, info, context); \\
        }
    PPTPCAP_LEVEL(0) PPTPCAP_LEVEL(1) PPTPCAP_LEVEL(2) PPTPCAP_LEVEL(3)
    PPTPCAP_LEVEL(4) PPTPCAP_LEVEL(5) PPTPCAP_LEVEL(6) PPTPCAP_LEVEL(7)
    static void (*const pptpcap_handlers[PPTPCAP_LEVELS])(int, siginfo_t*, void*) = {
        pptpcap_handle_0, pptpcap_handle_1, pptpcap_handle_2, pptpcap_handle_3,
        pptpcap_handle_4, pptpcap_handle_5, pptpcap_handle_6, pptpcap_handle_7,
    };

    /* Have a handler of ours on top. */
    static void pptpcap_install(void) {
        struct sigaction action;
        int level;
        if (sigaction(SIGBUS, NULL, &action) != 0)
            return;
        for (level = 0; level < PPTPCAP_LEVELS; level++)
            if ((action.sa_flags & SA_SIGINFO) && action.sa_sigaction == pptpcap_handlers[level])
                return;
        if (__atomic_load_n(&pptpcap_levels, __ATOMIC_RELAXED) >= PPTPCAP_LEVELS)
            return;
        /* Threads that come here at once take a level each, which does no harm. */
        level = __atomic_fetch_add(&pptpcap_levels, 1, __ATOMIC_RELAXED);
        if (level >= PPTPCAP_LEVELS)
            return;
        pptpcap_below[level] = action;
        /* The mask and SA_NODEFER stay as the handler below has them. */
        action.sa_flags = (action.sa_flags & ~SA_RESETHAND) | SA_SIGINFO | SA_ONSTACK;
        action.sa_sigaction = pptpcap_handlers[level];
        sigaction(SIGBUS, &action, NULL);
    }

    static pptpcap_slot* pptpcap_guard(const void* start, size_t length) {
        pptpcap_slot* first = __atomic_load_n(&pptpcap_slots, __ATOMIC_ACQUIRE);
        pptpcap_slot* slot = first;
        while (slot != NULL && __atomic_exchange_n(&slot->taken, 1, __ATOMIC_ACQUIRE))
            slot = slot->next;
        if (slot == NULL) {
            slot = calloc(1, sizeof(pptpcap_slot));
            if (slot == NULL)
                return NULL;
            slot->taken = 1;
            slot->next = first;
            while (!__atomic_compare_exchange_n(
                &pptpcap_slots, &slot->next, slot, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
            }
        }
        __atomic_store_n(&slot->length, length, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->lost, -1, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->start, (uintptr_t)start, __ATOMIC_RELEASE);
        pptpcap_install();
        return slot;
    }

    static int64_t pptpcap_lost(pptpcap_slot* slot) { return __atomic_load_n(&slot->lost, __ATOMIC_SEQ_CST); }

    static void pptpcap_let_go(pptpcap_slot* slot) {
        __atomic_store_n(&slot->start, 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&slot->taken, 0, __ATOMIC_RELEASE);
    }
    #else
    #define pptpcap_guard(start, length) ((void*)(start))
    #define pptpcap_lost(slot) INT64_C(-1)
    #define pptpcap_let_go(slot) ((void)0)
    #endif
    """
    void* guard "pptpcap_guard"(const void* start, size_t length) noexcept nogil
    int64_t lost_at "pptpcap_lost"(void* slot) noexcept nogil
    void let_go "pptpcap_let_go"(void* slot) noexcept nogil


cdef class Guard:
    """Guards a map until it is closed, which is before the map is.

    Parameters
    ----------
    data : buffer
        The map, of at least one octet.
    """

    cdef void* slot

    def __cinit__(self, const unsigned char[::1] data not None):
        self.slot = guard(&data[0], data.shape[0])
        if self.slot == NULL:
            raise MemoryError

    def __dealloc__(self):
        self.close()

    @property
    def lost(self) -> int:
        """Offset of a page that the file did not have any more when it was read, or -1; the map is zeros from there."""
        return -1 if self.slot == NULL else lost_at(self.slot)

    cpdef void close(self):
        """Guard the map no longer."""
        if self.slot != NULL:
            let_go(self.slot)
            self.slot = NULL
