/* How long the questions to a whole graph take and how much memory: dominators, sums over them, components;
 * in a graph shaped like a heap (containers hold what was made soon after them, many hold a few popular
 * objects, some hold anything, so that cycles are there) and in one whose edges are all chance.  Prints one
 * line a shape, in seconds of CPU, since neighbours disturb those least; the peak includes graph, weights and
 * sums.  Usage: bench_graph [VERTICES [EDGES]]. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "graph/components.h"
#include "graph/dominators.h"

enum { ROOTS = 100, POPULAR = 1000, NEAR = 64 };

struct edge {
    uint32_t from, to;
};

/* Edge number i, the same whenever it is asked for. Edges 0 up to count make a tree of a heap. */
static struct edge edge_like_in_a_heap(uint32_t i, uint32_t count)
{
    uint64_t chance = hst_mix64(i);
    uint32_t number = (uint32_t)(chance >> 32), from = hst_mix64(number) % count;
    if (i < count) {
        uint32_t reach = number % 100 == 0 ? i : number % 10 == 0 ? NEAR * 100 : NEAR;
        uint32_t back = 1 + (uint32_t)chance % (reach > 0 ? reach : 1);
        return (struct edge){back <= i ? i - back : 0, i};
    }
    if (number % 100 < 60)
        return (struct edge){from, hst_mix64(chance) % POPULAR};
    if (number % 100 < 90)
        return (struct edge){from, (from + (uint32_t)chance % NEAR) % count};
    return (struct edge){from, hst_mix64(chance) % count};
}

static struct edge edge_by_chance(uint32_t i, uint32_t count)
{
    uint64_t chance = hst_mix64(i);
    return (struct edge){(uint32_t)(chance >> 32) % count, (uint32_t)chance % count};
}

struct shape {
    const char *name;
    struct edge (*edge)(uint32_t i, uint32_t count);
};
static const struct shape shapes[] = {{"like a heap", edge_like_in_a_heap}, {"by chance", edge_by_chance}};

static void die(void)
{
    (void)fprintf(stderr, "bench_graph: out of memory\n");
    exit(1);
}

static struct hst_graph make_graph(const struct shape *shape, uint32_t count, uint32_t edges)
{
    uint32_t *first = hst_alloc_zero((size_t)count + 2, sizeof *first);
    uint32_t *targets = hst_alloc(edges, sizeof *targets);
    if (first == NULL || targets == NULL)
        die();
    for (uint32_t i = 0; i < edges; i++)
        first[(size_t)shape->edge(i, count).from + 2]++;
    for (size_t v = 2; v < (size_t)count + 2; v++)
        first[v] += first[v - 1];
    for (uint32_t i = 0; i < edges; i++) {
        struct edge edge = shape->edge(i, count);
        targets[first[(size_t)edge.from + 1]++] = edge.to;
    }
    return (struct hst_graph){count, first, targets};
}

static double peak_bytes(void)
{
    struct rusage used;
    (void)getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_maxrss * 1024;
}

static void measure(const struct shape *shape, uint32_t count, uint32_t edges)
{
    struct hst_graph graph = make_graph(shape, count, edges);
    uint64_t *weights = hst_alloc(count, sizeof *weights), *sums = hst_alloc_zero(count, sizeof *sums);
    uint32_t roots[ROOTS];
    struct hst_dominators dominators;
    struct hst_components components;
    if (weights == NULL || sums == NULL)
        die();
    for (uint32_t v = 0; v < count; v++) {
        weights[v] = 16 + v % 512;
        sums[v] = 1; /* so that its memory is there from the beginning */
    }
    for (uint32_t r = 0; r < ROOTS; r++)
        roots[r] = r % count;
    uint64_t begin_ns = hst_cpu_ns();
    if (hst_dominators_find(&graph, roots, ROOTS, &dominators) != HST_OK)
        die();
    uint64_t found_ns = hst_cpu_ns();
    hst_dominators_sum(&dominators, weights, sums);
    uint64_t summed_ns = hst_cpu_ns();
    double reached = dominators.reached, peak = peak_bytes();
    hst_dominators_release(&dominators);
    uint64_t again_ns = hst_cpu_ns();
    if (hst_components_find(&graph, &components) != HST_OK)
        die();
    uint64_t end_ns = hst_cpu_ns();
    printf("%-12s %9u vertices %9u edges  dominators %6.2f s  sums %5.2f s  components %6.2f s (%u)  "
           "%.0f %% reached  peak %.1f bytes/vertex, with components %.1f\n",
           shape->name, count, edges, (double)(found_ns - begin_ns) / 1e9,
           (double)(summed_ns - found_ns) / 1e9, (double)(end_ns - again_ns) / 1e9, components.count,
           100 * reached / count, peak / count, peak_bytes() / count);
}

int main(int argc, char **argv)
{
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 5000000;
    uint32_t edges = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10000000;
    if (count == 0)
        return 2;
    for (size_t i = 0; i < HST_ARRAY_LENGTH(shapes); i++) {
        (void)fflush(NULL);
        pid_t child = fork(); /* each with a peak of its own */
        if (child == 0) {
            measure(&shapes[i], count, edges);
            exit(0);
        }
        int status;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            return 1;
    }
    return 0;
}
