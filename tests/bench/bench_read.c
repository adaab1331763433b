/* What the kernel takes for one read of another process's memory, which no sampler from outside goes below:
 * one piece, two pieces (a thread's state and its stack: what a sample reads from 3.13 on), and two with a
 * second page. Prints "pieces bytes nanoseconds", the median of several rounds.  Usage: bench_read PID. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "target/maps.h"
#include "target/memory.h"

enum { ROUNDS = 15, READS = 20000 };

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The heap of the target: memory that is there. */
static hst_raddr find_memory(int pid)
{
    struct hst_maps maps = {0};
    hst_raddr found = 0;
    if (hst_maps_read(pid, &maps) != HST_OK)
        return 0;
    for (size_t i = 0; i < maps.count && found == 0; i++)
        if (strcmp(maps.items[i].path, "[heap]") == 0)
            found = maps.items[i].start;
    hst_maps_release(&maps);
    return found;
}

static void measure(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    double ns[ROUNDS];
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += pieces[i].length;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t begin = hst_now_ns();
        for (int i = 0; i < READS; i++)
            if (hst_memory_read_pieces(memory, pieces, count) != HST_OK) {
                (void)fprintf(stderr, "bench_read: cannot read the process\n");
                exit(1);
            }
        ns[round] = (double)(hst_now_ns() - begin) / READS;
    }
    qsort(ns, ROUNDS, sizeof *ns, compare);
    (void)printf("%zu %zu %.0f\n", count, bytes, ns[ROUNDS / 2]);
}

int main(int argc, char **argv)
{
    static uint8_t into[2][8192];
    int pid = argc == 2 ? (int)strtol(argv[1], NULL, 10) : 0;
    struct hst_memory *memory;
    hst_raddr at = pid > 0 ? find_memory(pid) : 0;
    if (at == 0 || hst_memory_live(pid, &memory) != HST_OK) {
        (void)fprintf(stderr, "usage: bench_read PID (of a process whose memory may be read)\n");
        return 2;
    }
    const struct hst_piece state = {at, into[0], 200}, stack = {at + 4096, into[1], 2000},
                           deep = {at + 4096, into[1], 6000};
    measure(memory, (struct hst_piece[]){state}, 1);
    measure(memory, (struct hst_piece[]){state, stack}, 2);
    measure(memory, (struct hst_piece[]){state, deep}, 2);
    hst_memory_free(memory);
    return 0;
}
