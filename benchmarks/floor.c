/* The floor: the least work that any reader of a capture must do, as a plain loop over the mapped file.
 *
 * Follows the record headers of a pcap file over Ethernet and tests link, protocol and ports of each packet, looks into
 * VXLAN, and counts; decodes nothing, keeps nothing.  It is a program, and a shared object for test_read.py.
 *
 *     floor FILE [REPEATS]
 *
 * prints one JSON object: counts, the seconds of each walk over a map that is populated already ("walk"), and of each
 * open, map, walk that faults pages in, and unmap ("map_and_walk"), by the clock on the wall and by that of the processor.
 */
#define _DEFAULT_SOURCE /* clock_gettime, MAP_POPULATE */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef MAP_POPULATE
#define MAP_POPULATE 0
#endif

enum { FILE_HEADER = 24, RECORD_HEADER = 16, ETHERNET = 14, TCP = 6, UDP = 17, GRE = 47 };
enum { CONTROL_PORT = 1723, VXLAN_PORT = 4789, UDP_AND_VXLAN = 16 };

struct counts {
    uint64_t records;
    uint64_t octets;
    uint64_t control;
    uint64_t gre;
};

static inline uint32_t number32(const uint8_t *p, int swapped)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return swapped ? __builtin_bswap32(value) : value;
}

static inline unsigned big16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Needs size octets at data, a file header among them; gives counts; reads nothing outside them. */
static inline struct counts walk(const uint8_t *data, size_t size, int swapped)
{
    struct counts counts = {0, 0, 0, 0};
    size_t at = FILE_HEADER;

    while (size - at >= RECORD_HEADER) {
        const uint32_t captured = number32(data + at + 8, swapped);
        const uint8_t *frame = data + at + RECORD_HEADER;
        if (captured > size - at - RECORD_HEADER)
            break;
        at += RECORD_HEADER + (size_t)captured;
        counts.records++;
        counts.octets += captured;
        size_t left = captured;
    inside:
        if (left < ETHERNET + 20)
            continue;
        const unsigned ether_type = big16(frame + 12);
        const uint8_t *ip = frame + ETHERNET;
        unsigned protocol;
        size_t header;
        if (ether_type == 0x0800) {
            protocol = ip[9];
            header = (size_t)(ip[0] & 15) * 4;
        } else if (ether_type == 0x86DD) {
            protocol = ip[6];
            header = 40;
        } else {
            continue;
        }
        if (protocol == GRE) {
            counts.gre++;
        } else if (protocol == TCP && left >= ETHERNET + header + 4) {
            const uint8_t *ports = ip + header;
            counts.control += big16(ports) == CONTROL_PORT || big16(ports + 2) == CONTROL_PORT;
        } else if (protocol == UDP && left >= ETHERNET + header + UDP_AND_VXLAN && big16(ip + header + 2) == VXLAN_PORT) {
            frame = ip + header + UDP_AND_VXLAN;
            left -= ETHERNET + header + UDP_AND_VXLAN;
            goto inside;
        }
    }
    return counts;
}

/* Needs size octets at data; gives 0 and counts, or -1 where they are no pcap file over Ethernet. */
int floor_walk(const uint8_t *data, size_t size, struct counts *counts)
{
    uint32_t magic;

    if (size < FILE_HEADER)
        return -1;
    memcpy(&magic, data, sizeof magic);
    const int swapped = magic == 0xD4C3B2A1 || magic == 0x4D3CB2A1;
    if (!swapped && magic != 0xA1B2C3D4 && magic != 0xA1B23C4D)
        return -1;
    if ((number32(data + 20, swapped) & 0xFFFF) != 1)
        return -1;
    *counts = swapped ? walk(data, size, 1) : walk(data, size, 0);
    return 0;
}

struct times {
    double wall;
    double processor;
};

static double read_clock(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static struct times now(void)
{
    return (struct times){read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct times since(struct times start)
{
    const struct times end = now();
    return (struct times){end.wall - start.wall, end.processor - start.processor};
}

static int fail(const char *path, const char *why)
{
    fprintf(stderr, "floor: %s: %s\n", path, why);
    return 1;
}

/* Maps the file, walks it, unmaps it; the times of the walk alone if populated, else of all. */
static int once(const char *path, int populate, struct counts *counts, struct times *times)
{
    struct times start = now();
    struct stat status;
    const int file = open(path, O_RDONLY);

    if (file < 0 || fstat(file, &status) != 0 || status.st_size == 0)
        return fail(path, "cannot be read");
    const size_t size = (size_t)status.st_size;
    uint8_t *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE | (populate ? MAP_POPULATE : 0), file, 0);
    if (data == MAP_FAILED)
        return fail(path, "cannot be mapped");
    if (populate)
        start = now();
    if (floor_walk(data, size, counts) != 0)
        return fail(path, "is no pcap file over Ethernet");
    if (populate)
        *times = since(start);
    munmap(data, size);
    close(file);
    if (!populate)
        *times = since(start);
    return 0;
}

static int ascending(const void *a, const void *b)
{
    const double x = ((const struct times *)a)->wall, y = ((const struct times *)b)->wall;
    return (x > y) - (x < y);
}

static void print_times(const char *name, struct times *times, int repeats)
{
    printf(", \"%s\": {\"seconds\": [", name);
    for (int i = 0; i < repeats; i++)
        printf("%s%.9f", i ? ", " : "", times[i].wall);
    printf("], \"processor_seconds\": [");
    for (int i = 0; i < repeats; i++)
        printf("%s%.9f", i ? ", " : "", times[i].processor);
    qsort(times, (size_t)repeats, sizeof *times, ascending);
    const double median = (times[(repeats - 1) / 2].wall + times[repeats / 2].wall) / 2;
    printf("], \"best\": %.9f, \"median\": %.9f}", times[0].wall, median);
}

int main(int argc, char **argv)
{
    const int repeats = argc > 2 ? atoi(argv[2]) : 1;
    struct counts counts = {0, 0, 0, 0};

    if (argc < 2 || repeats < 1) {
        fprintf(stderr, "usage: floor FILE [REPEATS]\n");
        return 2;
    }
    struct times *populated = calloc((size_t)repeats * 2, sizeof *populated);
    struct times *faulting = populated + repeats;
    if (populated == NULL)
        return fail(argv[1], "no memory");
    for (int i = 0; i < repeats; i++)
        if (once(argv[1], 1, &counts, populated + i) != 0 || once(argv[1], 0, &counts, faulting + i) != 0)
            return 1;
    printf("{\"records\": %llu, \"octets\": %llu, \"control\": %llu, \"gre\": %llu", (unsigned long long)counts.records,
           (unsigned long long)counts.octets, (unsigned long long)counts.control, (unsigned long long)counts.gre);
    print_times("walk", populated, repeats);
    print_times("map_and_walk", faulting, repeats);
    printf("}\n");
    free(populated);
    return 0;
}
