/* Faults in the calls that a process makes to the C library for files.  Loaded in front of it with LD_PRELOAD; Linux.

   Calls on files below a folder are numbered from 1 in the order in which they are made, and written to a log.  One of
   them, or several in a row, fail with an errno, read or write half of what was asked, or raise a signal before they are
   made.  The environment says what is to be done; faults_begin() reads it, when the library is loaded and on request.

   FAULTS_UNDER  the folder, without a slash at its end; all files where it is empty
   FAULTS_CALLS  names of the calls that are numbered, ",open,write,"; all where it is empty
   FAULTS_LOG    a file to which a line is appended for each numbered call: name, path
   FAULTS_WHAT   "error NUMBER", "signal NUMBER" or "short"; nothing where it is empty
   FAULTS_AT     number of the first call that it happens to
   FAULTS_TIMES  how many calls it happens to, 0 for all that follow */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum what { PASS, FAIL, SHORT, SIGNAL };

static char under[PATH_MAX], only[256];
static enum what what;
static int number, begun;
static long first, times, made;
static int record = -1;

static long from_environment(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static void copy_from_environment(char *into, size_t size, const char *name) {
    const char *text = getenv(name);
    snprintf(into, size, "%s", text ? text : "");
}

__attribute__((constructor)) void faults_begin(void) {
    char text[32], *log = getenv("FAULTS_LOG");
    copy_from_environment(under, sizeof under, "FAULTS_UNDER");
    copy_from_environment(only, sizeof only, "FAULTS_CALLS");
    copy_from_environment(text, sizeof text, "FAULTS_WHAT");
    first = from_environment("FAULTS_AT");
    times = from_environment("FAULTS_TIMES");
    what = PASS;
    if (sscanf(text, "error %d", &number) == 1) what = FAIL;
    if (sscanf(text, "signal %d", &number) == 1) what = SIGNAL;
    if (!strcmp(text, "short")) what = SHORT;
    made = 0;
    if (log) record = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    begun = log != NULL;
}

/* The path of a descriptor, of a path below a descriptor, or of a path. */
static void find(char out[PATH_MAX], int descriptor, const char *path) {
    char link[64];
    ssize_t length = 0;
    if (path && path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
        return;
    }
    if (descriptor == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/cwd");
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    length = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    if (length < 0) length = 0;
    out[length] = 0;
    if (path && path[0]) snprintf(out + length, PATH_MAX - (size_t)length, "/%s", path);
}

static int is_under(const char *path) {
    size_t length = strlen(under);
    return !strncmp(path, under, length) && (!length || path[length] == '/' || !path[length]);
}

static int is_named(const char *name) {
    char between[64];
    snprintf(between, sizeof between, ",%s,", name);
    return !only[0] || strstr(only, between);
}

/* Number a call that has up to two paths; what is to happen to it. */
static enum what due(const char *name, int descriptor, const char *path, int descriptor2, const char *path2) {
    char one[PATH_MAX], two[PATH_MAX] = "", line[2 * PATH_MAX + 64];
    int saved = errno;
    long count;
    if (!begun) return PASS;
    find(one, descriptor, path);
    if (path2) find(two, descriptor2, path2);
    errno = saved;
    if (!(is_under(one) || (path2 && is_under(two))) || !is_named(name)) return PASS;
    count = __atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
    if (record >= 0) {
        int length = snprintf(line, sizeof line, "%s %s\n", name, path2 ? two : one);
        syscall(SYS_write, record, line, (size_t)length);
    }
    errno = saved;
    if (what == PASS || count < first || (times && count >= first + times)) return PASS;
    if (what == FAIL) errno = number;
    if (what == SIGNAL) raise(number);
    return what;
}

#define NOWHERE AT_FDCWD, NULL
#define ON(descriptor) descriptor, NULL, NOWHERE
#define PATH(path) AT_FDCWD, path, NOWHERE
#define AT(descriptor, path) descriptor, path, NOWHERE

#define FIND(type, name, parameters)                                            \
    static type(*real) parameters;                                              \
    if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name)

/* Said is the name in the log, and what follows the arguments is the paths that due() is asked about. */
#define WRAP(type, bad, said, name, parameters, arguments, ...)                 \
    type name parameters {                                                      \
        FIND(type, name, parameters);                                           \
        return due(said, __VA_ARGS__) == FAIL ? bad : real arguments;           \
    }

/* Functions with offsets or struct stat have a twin, which takes the same arguments where off_t has 64 bits. */
_Static_assert(sizeof(off_t) == 8, "for systems of 64 bits");
#define WRAP_BOTH(type, bad, said, name, parameters, arguments, ...)            \
    WRAP(type, bad, said, name, parameters, arguments, __VA_ARGS__)             \
    WRAP(type, bad, said, name##64, parameters, arguments, __VA_ARGS__)

#define MODE                                                                    \
    va_list more;                                                               \
    mode_t mode = 0;                                                            \
    va_start(more, flags);                                                      \
    if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(more, mode_t);             \
    va_end(more)

#define OPEN(name)                                                              \
    int name(const char *path, int flags, ...) {                                \
        FIND(int, name, (const char *, int, ...));                              \
        MODE;                                                                   \
        return due("open", PATH(path)) == FAIL ? -1 : real(path, flags, mode);  \
    }

#define OPENAT(name)                                                            \
    int name(int at, const char *path, int flags, ...) {                        \
        FIND(int, name, (int, const char *, int, ...));                         \
        MODE;                                                                   \
        return due("openat", AT(at, path)) == FAIL ? -1 : real(at, path, flags, mode); \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
WRAP(int, -1, "open", __open_2, (const char *path, int flags), (path, flags), PATH(path))
WRAP(int, -1, "open", __open64_2, (const char *path, int flags), (path, flags), PATH(path))
WRAP(int, -1, "openat", __openat_2, (int at, const char *path, int flags), (at, path, flags), AT(at, path))
WRAP(int, -1, "openat", __openat64_2, (int at, const char *path, int flags), (at, path, flags), AT(at, path))

/* Linux closes a descriptor also where it reports an error. */
int close(int descriptor) {
    FIND(int, close, (int));
    enum what fate = due("close", ON(descriptor));
    int saved = errno, result = real(descriptor);
    if (fate != FAIL) return result;
    errno = saved;
    return -1;
}

#define FCNTL(name)                                                             \
    int name(int descriptor, int act, ...) {                                    \
        FIND(int, name, (int, int, ...));                                       \
        va_list more;                                                           \
        va_start(more, act);                                                    \
        void *argument = va_arg(more, void *);                                  \
        va_end(more);                                                           \
        return due("fcntl", ON(descriptor)) == FAIL ? -1 : real(descriptor, act, argument); \
    }

FCNTL(fcntl)
FCNTL(fcntl64)

#define HALF(fate, size) ((fate) == SHORT && (size) > 1 ? (size) / 2 : (size))

#define TRANSFER(said, name, parameters, arguments)                             \
    ssize_t name parameters {                                                   \
        FIND(ssize_t, name, parameters);                                        \
        enum what fate = due(said, ON(descriptor));                             \
        size = HALF(fate, size);                                                \
        return fate == FAIL ? -1 : real arguments;                              \
    }

TRANSFER("read", read, (int descriptor, void *octets, size_t size), (descriptor, octets, size))
TRANSFER("read", __read_chk, (int descriptor, void *octets, size_t size, size_t room), (descriptor, octets, size, room))
TRANSFER("write", write, (int descriptor, const void *octets, size_t size), (descriptor, octets, size))
TRANSFER("pread", pread, (int descriptor, void *octets, size_t size, off_t at), (descriptor, octets, size, at))
TRANSFER("pread", pread64, (int descriptor, void *octets, size_t size, off64_t at), (descriptor, octets, size, at))
TRANSFER("pwrite", pwrite, (int descriptor, const void *octets, size_t size, off_t at), (descriptor, octets, size, at))
TRANSFER("pwrite", pwrite64, (int descriptor, const void *octets, size_t size, off64_t at), (descriptor, octets, size, at))

struct piece {
    void *octets;
    size_t size;
};

#define TRANSFER_PIECES(name)                                                   \
    ssize_t name(int descriptor, const struct piece *pieces, int count) {       \
        FIND(ssize_t, name, (int, const struct piece *, int));                  \
        enum what fate = due(#name, ON(descriptor));                            \
        if (fate == FAIL) return -1;                                            \
        if (fate != SHORT || count < 1) return real(descriptor, pieces, count); \
        struct piece half = {pieces[0].octets, HALF(fate, pieces[0].size)};     \
        return real(descriptor, &half, 1);                                      \
    }

TRANSFER_PIECES(readv)
TRANSFER_PIECES(writev)

WRAP_BOTH(off_t, -1, "lseek", lseek, (int descriptor, off_t at, int whence), (descriptor, at, whence), ON(descriptor))
WRAP_BOTH(int, -1, "ftruncate", ftruncate, (int descriptor, off_t size), (descriptor, size), ON(descriptor))
WRAP_BOTH(int, -1, "truncate", truncate, (const char *path, off_t size), (path, size), PATH(path))
WRAP_BOTH(int, errno, "posix_fallocate", posix_fallocate, (int descriptor, off_t at, off_t size),
          (descriptor, at, size), ON(descriptor))
WRAP_BOTH(ssize_t, -1, "sendfile", sendfile, (int out, int in, off_t *at, size_t size), (out, in, at, size),
          out, NULL, in, "")
WRAP(ssize_t, -1, "copy_file_range", copy_file_range,
     (int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags), (in, from, out, to, size, flags),
     in, NULL, out, "")

/* Until glibc 2.33 programs were linked with the names that have a version as argument. */
WRAP_BOTH(int, -1, "stat", stat, (const char *path, void *out), (path, out), PATH(path))
WRAP_BOTH(int, -1, "lstat", lstat, (const char *path, void *out), (path, out), PATH(path))
WRAP_BOTH(int, -1, "fstat", fstat, (int descriptor, void *out), (descriptor, out), ON(descriptor))
WRAP_BOTH(int, -1, "fstatat", fstatat, (int at, const char *path, void *out, int flags), (at, path, out, flags),
          AT(at, path))
WRAP_BOTH(int, -1, "stat", __xstat, (int version, const char *path, void *out), (version, path, out), PATH(path))
WRAP_BOTH(int, -1, "lstat", __lxstat, (int version, const char *path, void *out), (version, path, out), PATH(path))
WRAP_BOTH(int, -1, "fstat", __fxstat, (int version, int descriptor, void *out), (version, descriptor, out),
          ON(descriptor))
WRAP_BOTH(int, -1, "fstatat", __fxstatat, (int version, int at, const char *path, void *out, int flags),
          (version, at, path, out, flags), AT(at, path))

WRAP(int, -1, "fsync", fsync, (int descriptor), (descriptor), ON(descriptor))
WRAP(int, -1, "fdatasync", fdatasync, (int descriptor), (descriptor), ON(descriptor))
WRAP(int, -1, "flock", flock, (int descriptor, int act), (descriptor, act), ON(descriptor))
WRAP(int, -1, "fchmod", fchmod, (int descriptor, mode_t mode), (descriptor, mode), ON(descriptor))
WRAP(int, -1, "chmod", chmod, (const char *path, mode_t mode), (path, mode), PATH(path))

WRAP(int, -1, "mkdir", mkdir, (const char *path, mode_t mode), (path, mode), PATH(path))
WRAP(int, -1, "mkdirat", mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), AT(at, path))
WRAP(int, -1, "rmdir", rmdir, (const char *path), (path), PATH(path))
WRAP(int, -1, "unlink", unlink, (const char *path), (path), PATH(path))
WRAP(int, -1, "unlinkat", unlinkat, (int at, const char *path, int flags), (at, path, flags), AT(at, path))
WRAP(int, -1, "rename", rename, (const char *from, const char *to), (from, to), AT_FDCWD, from, AT_FDCWD, to)
WRAP(int, -1, "renameat", renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), a, from, b, to)
WRAP(int, -1, "link", link, (const char *from, const char *to), (from, to), AT_FDCWD, from, AT_FDCWD, to)
WRAP(int, -1, "linkat", linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags),
     a, from, b, to)
WRAP(int, -1, "symlink", symlink, (const char *text, const char *path), (text, path), PATH(path))
WRAP(int, -1, "symlinkat", symlinkat, (const char *text, int at, const char *path), (text, at, path), AT(at, path))

/* Directories are streams of names. */
WRAP(void *, NULL, "opendir", opendir, (const char *path), (path), PATH(path))
WRAP(void *, NULL, "fdopendir", fdopendir, (int descriptor), (descriptor), ON(descriptor))
int dirfd(void *);
WRAP_BOTH(void *, NULL, "readdir", readdir, (void *names), (names), ON(dirfd(names)))
