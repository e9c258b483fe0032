/* Memory that runs out at a chosen request of chosen code: loaded in front of the C library by tests/reading/test_memory.py.
   Requests are told by the address to which they return; all others are passed on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#define MOST 64

static uintptr_t low[MOST], high[MOST];
static int ranges;
static long left = -1;
static long live;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);

/* dlsym may ask for memory before it has told where memory is. */
static char early[4096];
static size_t early_used;

static void find(void) {
    real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
}

static int is_ours(void *caller) {
    uintptr_t at = (uintptr_t)caller;
    for (int i = 0; i < ranges; i++)
        if (at >= low[i] && at < high[i]) return 1;
    return 0;
}

/* Whether this request is the one that fails. */
static int fails(void) { return left >= 0 && left-- == 0; }

void starve_range(uintptr_t from, uintptr_t to) {
    if (ranges < MOST) {
        low[ranges] = from;
        high[ranges++] = to;
    }
}

/* Let the request fail that comes after `requests` others; -1 for none.  Gives what was left of the number before. */
long starve_after(long requests) {
    long before = left;
    left = requests;
    return before;
}

/* Requests of ours that were granted and not yet given back. */
long starve_live(void) { return live; }

void *malloc(size_t size) {
    if (!real_malloc) find();
    if (!is_ours(__builtin_return_address(0))) return real_malloc(size);
    if (fails()) return NULL;
    void *p = real_malloc(size);
    if (p) live++;
    return p;
}

void *calloc(size_t count, size_t size) {
    if (!real_calloc) {
        size_t start = early_used;
        early_used += (count * size + 15) & ~(size_t)15;
        return early_used <= sizeof early ? early + start : NULL;
    }
    if (!is_ours(__builtin_return_address(0))) return real_calloc(count, size);
    if (fails()) return NULL;
    void *p = real_calloc(count, size);
    if (p) live++;
    return p;
}

void *realloc(void *old, size_t size) {
    if (!real_realloc) find();
    if (!is_ours(__builtin_return_address(0))) return real_realloc(old, size);
    if (fails()) return NULL;
    void *p = real_realloc(old, size);
    if (p && !old) live++;
    return p;
}

void free(void *p) {
    if ((char *)p >= early && (char *)p < early + sizeof early) return;
    if (!real_free) find();
    if (p && is_ours(__builtin_return_address(0))) live--;
    real_free(p);
}
