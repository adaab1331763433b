/* The questions to a graph, each against its definition: ten thousand small graphs by chance, where a set of
 * vertices is a word of bits, so that nothing here works as what it tests; then graphs that are deep, shapes
 * that would take the square of their size, and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/memory.h"
#include "graph/components.h"
#include "graph/dominators.h"

enum { GRAPHS = 10000, VERTICES_MAX = 40, EDGES_MAX = 160, ROOTS_MAX = 4 };

static uint64_t random_state = 4711;
static uint32_t chance(uint32_t below) { return (uint32_t)(hst_mix64(random_state++) >> 32) % below; }

struct small {
    struct hst_graph graph;
    uint32_t first[VERTICES_MAX + 1], targets[EDGES_MAX], sources[EDGES_MAX];
    uint32_t roots[ROOTS_MAX];
    size_t root_count;
    uint64_t weights[VERTICES_MAX], out[VERTICES_MAX] /* the vertices that edges lead to */;
};

static uint64_t bit(uint32_t v) { return UINT64_C(1) << v; }

static uint32_t edge_count(const struct small *small) { return small->first[small->graph.count]; }

/* Fills out, without one edge. */
static void lead_out(struct small *small, uint32_t without)
{
    memset(small->out, 0, sizeof small->out);
    for (uint32_t e = 0; e < edge_count(small); e++)
        if (e != without)
            small->out[small->sources[e]] |= bit(small->targets[e]);
}

static uint64_t one_step(const struct small *small, uint64_t from)
{
    uint64_t to = 0;
    for (; from != 0; from &= from - 1)
        to |= small->out[__builtin_ctzll(from)];
    return to;
}

/* Edges of all kinds: to oneself, the same twice, from what no root reaches. */
static void make_small(struct small *small)
{
    uint32_t count = 1 + chance(VERTICES_MAX), sparse = chance(2);
    uint32_t edges = chance(sparse ? count + count / 4 + 1 : EDGES_MAX / VERTICES_MAX * count);
    memset(small->first, 0, sizeof small->first);
    for (uint32_t e = 0; e < edges; e++) {
        small->sources[e] = chance(count);
        for (uint32_t f = e; f > 0 && small->sources[f] < small->sources[f - 1]; f--) {
            uint32_t source = small->sources[f];
            small->sources[f] = small->sources[f - 1];
            small->sources[f - 1] = source;
        }
        small->targets[e] = chance(6) == 0 ? 0 : chance(count);
    }
    for (uint32_t e = 0; e < edges; e++)
        small->first[small->sources[e] + 1]++;
    for (uint32_t v = 0; v < count; v++)
        small->first[v + 1] += small->first[v];
    small->root_count = chance(ROOTS_MAX + 1);
    for (size_t r = 0; r < small->root_count; r++)
        small->roots[r] = chance(count);
    for (uint32_t v = 0; v < count; v++)
        small->weights[v] = chance(1000);
    small->graph = (struct hst_graph){count, small->first, small->targets};
    lead_out(small, UINT32_MAX);
}

static uint64_t reach_from(const struct small *small, uint64_t from, uint64_t blocked)
{
    uint64_t reached = from & ~blocked;
    for (uint64_t more; (more = (reached | one_step(small, reached)) & ~blocked) != reached;)
        reached = more;
    return reached;
}

static uint64_t reach_from_roots(const struct small *small, uint64_t blocked)
{
    uint64_t from = 0;
    for (size_t r = 0; r < small->root_count; r++)
        from |= bit(small->roots[r]);
    return reach_from(small, from, blocked);
}

static uint64_t weigh(const struct small *small, uint64_t set)
{
    uint64_t sum = 0;
    for (uint32_t v = 0; v < small->graph.count; v++)
        sum += (set & bit(v)) != 0 ? small->weights[v] : 0;
    return sum;
}

static void check_dominators(const struct small *small)
{
    struct hst_dominators dominators;
    uint64_t sums[VERTICES_MAX], lost[VERTICES_MAX] /* without v */, seen = 0;
    uint64_t reached = reach_from_roots(small, 0);
    assert_int_equal(hst_dominators_find(&small->graph, small->roots, small->root_count, &dominators),
                     HST_OK);
    hst_dominators_sum(&dominators, small->weights, sums);
    assert_int_equal(dominators.count, small->graph.count);
    for (uint32_t v = 0; v < small->graph.count; v++) {
        lost[v] = reached & ~reach_from_roots(small, bit(v));
        assert_int_equal(sums[v], weigh(small, lost[v]));
    }
    for (uint32_t v = 0; v < small->graph.count; v++) {
        /* Of those without which v is lost, the nearest is the one with which the fewest are. */
        uint32_t above = (reached & bit(v)) != 0 ? HST_GRAPH_ROOT : HST_GRAPH_NONE;
        for (uint32_t d = 0; d < small->graph.count; d++)
            if (d != v && (lost[d] & bit(v)) != 0 &&
                (above == HST_GRAPH_ROOT ||
                 __builtin_popcountll(lost[d]) < __builtin_popcountll(lost[above])))
                above = d;
        assert_int_equal(dominators.above[v], above);
    }
    for (uint32_t i = 0; i < dominators.reached; i++) {
        uint32_t v = dominators.order[i], above = dominators.above[v];
        assert_true((seen & bit(v)) == 0 && (above == HST_GRAPH_ROOT || (seen & bit(above)) != 0));
        seen |= bit(v);
    }
    assert_true(seen == reached);
    hst_dominators_release(&dominators);
}

static void check_reach(const struct small *small)
{
    uint8_t blocked[VERTICES_MAX], reached[VERTICES_MAX] = {0};
    uint64_t blocked_set = 0, all = reach_from_roots(small, 0), some;
    for (uint32_t v = 0; v < small->graph.count; v++) {
        blocked[v] = chance(5) == 0;
        blocked_set |= blocked[v] ? bit(v) : 0;
    }
    some = reach_from_roots(small, blocked_set);
    assert_int_equal(hst_graph_reach(&small->graph, small->roots, small->root_count, blocked, reached),
                     HST_OK);
    for (uint32_t v = 0; v < small->graph.count; v++)
        assert_int_equal(reached[v], (some & bit(v)) != 0);
    memset(reached, 0, sizeof reached);
    assert_int_equal(hst_graph_reach(&small->graph, small->roots, small->root_count, NULL, reached), HST_OK);
    for (uint32_t v = 0; v < small->graph.count; v++)
        assert_int_equal(reached[v], (all & bit(v)) != 0);
}

static void check_shortest(const struct small *small)
{
    uint32_t before[VERTICES_MAX];
    uint64_t here = 0, done = 0;
    assert_int_equal(hst_graph_shortest(&small->graph, small->roots, small->root_count, before), HST_OK);
    for (size_t r = 0; r < small->root_count; r++) {
        assert_int_equal(before[small->roots[r]], small->roots[r]);
        here |= bit(small->roots[r]);
    }
    while (here != 0) { /* all at one distance, and the next */
        done |= here;
        uint64_t next = one_step(small, here) & ~done;
        for (uint32_t v = 0; v < small->graph.count; v++)
            if ((next & bit(v)) != 0)
                assert_true(before[v] < small->graph.count && (here & bit(before[v])) != 0 &&
                            (one_step(small, bit(before[v])) & bit(v)) != 0);
        here = next;
    }
    for (uint32_t v = 0; v < small->graph.count; v++)
        assert_true((before[v] == HST_GRAPH_NONE) == ((done & bit(v)) == 0));
}

static void check_reverse(const struct small *small)
{
    uint32_t *first, *sources, at = 0;
    assert_int_equal(hst_graph_reverse(&small->graph, &first, &sources), HST_OK);
    assert_int_equal(first[0], 0);
    for (uint32_t v = 0; v < small->graph.count; v++) {
        for (uint32_t e = 0; e < edge_count(small); e++) /* sources ascend with the edges */
            if (small->targets[e] == v)
                assert_int_equal(sources[at++], small->sources[e]);
        assert_int_equal(first[v + 1], at);
    }
    hst_free(first);
    hst_free(sources);
}

/* The shortest cycle among some vertices: how many steps lead from one of them to itself. */
static size_t shortest_cycle(const struct small *small, uint64_t members)
{
    size_t shortest = 0;
    for (uint32_t v = 0; v < small->graph.count; v++) {
        uint64_t here = bit(v) & members;
        for (size_t length = 1; length <= small->graph.count && here != 0; length++) {
            here = one_step(small, here) & members;
            if ((here & bit(v)) != 0 && (shortest == 0 || length < shortest))
                shortest = length;
        }
    }
    return shortest;
}

static void check_cycle(const struct small *small, const struct hst_components *components,
                        uint32_t component, uint64_t members)
{
    uint32_t edges[VERTICES_MAX + 1], fewer[2] = {UINT32_MAX, UINT32_MAX};
    size_t count, again, expected = shortest_cycle(small, members);
    assert_int_equal(hst_component_cycle(&small->graph, components, component, edges, VERTICES_MAX, &count),
                     HST_OK);
    assert_int_equal(count, expected);
    assert_int_equal(hst_component_is_cyclic(&small->graph, components, component), expected > 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(edges[i] < edge_count(small) && (members & bit(small->sources[edges[i]])) != 0);
        assert_int_equal(small->targets[edges[i]], small->sources[edges[(i + 1) % count]]);
    }
    assert_int_equal(hst_component_cycle(&small->graph, components, component, fewer, 1, &again), HST_OK);
    assert_int_equal(again, count);
    assert_int_equal(fewer[0], count > 0 ? edges[0] : UINT32_MAX);
    assert_int_equal(fewer[1], UINT32_MAX);
}

static uint32_t check_breaker(struct small *small, const struct hst_components *components,
                              uint32_t component, uint64_t members)
{
    uint32_t breaker, none, breakers = 0;
    size_t size = (size_t)__builtin_popcountll(members);
    assert_int_equal(hst_component_breaker(&small->graph, components, component, size, &breaker), HST_OK);
    assert_int_equal(hst_component_breaker(&small->graph, components, component, size - 1, &none), HST_OK);
    assert_int_equal(none, HST_GRAPH_NONE);
    for (uint32_t e = 0; e < edge_count(small); e++) {
        if ((members & bit(small->sources[e])) == 0 || (members & bit(small->targets[e])) == 0)
            continue;
        lead_out(small, e);
        int breaks = shortest_cycle(small, members) == 0;
        assert_true(breaks || breaker != e);
        breakers += breaks;
    }
    lead_out(small, UINT32_MAX);
    assert_true(breaker == HST_GRAPH_NONE ? breakers == 0 : breaker < edge_count(small) && breakers > 0);
    return breakers;
}

/* Adds to the numbers of components with a cycle that have a breaker, and that have none. */
static void check_components(struct small *small, uint32_t numbers[2])
{
    struct hst_components components;
    uint64_t to[VERTICES_MAX], seen = 0;
    assert_int_equal(hst_components_find(&small->graph, &components), HST_OK);
    for (uint32_t v = 0; v < small->graph.count; v++)
        to[v] = reach_from(small, bit(v), 0);
    for (uint32_t v = 0; v < small->graph.count; v++)
        for (uint32_t w = 0; w < small->graph.count; w++) {
            int together = (to[v] & bit(w)) != 0 && (to[w] & bit(v)) != 0;
            assert_int_equal(components.of[v] == components.of[w], together);
            if (!together && (to[v] & bit(w)) != 0)
                assert_true(components.of[w] < components.of[v]);
        }
    for (uint32_t c = 0; c < components.count; c++) {
        uint64_t members = 0;
        assert_true(components.first[c] < components.first[c + 1]);
        for (uint32_t i = components.first[c]; i < components.first[c + 1]; i++) {
            uint32_t v = components.members[i];
            assert_true(components.of[v] == c && (members >> v) == 0);
            members |= bit(v);
        }
        seen |= members;
        check_cycle(small, &components, c, members);
        if (hst_component_is_cyclic(&small->graph, &components, c))
            numbers[check_breaker(small, &components, c, members) == 0]++;
    }
    assert_int_equal(__builtin_popcountll(seen), small->graph.count);
    hst_components_release(&components);
}

static void test_by_chance(void **state)
{
    (void)state;
    static struct small small;
    uint32_t numbers[2] = {0};
    for (int i = 0; i < GRAPHS; i++) {
        make_small(&small);
        assert_true(hst_graph_is_sound(&small.graph));
        check_dominators(&small);
        check_reach(&small);
        check_shortest(&small);
        check_reverse(&small);
        check_components(&small, numbers);
    }
    assert_true(numbers[0] > GRAPHS / 10 && numbers[1] > GRAPHS / 10); /* both happen often enough */
}

static void test_order_of_shortest(void **state)
{
    (void)state;
    /* 4 and 5 are met from 3, the first root, though 1 leads to 4 as well, and from its first edge. */
    static const uint32_t first[] = {0, 0, 2, 2, 4, 5, 6}, targets[] = {4, 2, 4, 5, 0, 0}, roots[] = {3, 1};
    uint32_t before[6];
    assert_int_equal(hst_graph_shortest(&(struct hst_graph){6, first, targets}, roots, 2, before), HST_OK);
    static const uint32_t expected[] = {4, 1, 1, 3, 3, 3};
    assert_memory_equal(before, expected, sizeof expected);
}

static void test_broken(void **state)
{
    (void)state;
    uint32_t first[] = {0, 1, 3, 3}, targets[] = {2, 0, 1};
    struct hst_graph graph = {3, first, targets};
    assert_true(hst_graph_is_sound(&graph));
    for (size_t e = 0; e < 3; e++) {
        uint32_t kept = targets[e];
        targets[e] = 3;
        assert_false(hst_graph_is_sound(&graph));
        targets[e] = HST_GRAPH_NONE;
        assert_false(hst_graph_is_sound(&graph));
        targets[e] = kept;
    }
    static const uint32_t broken[][4] = {{1, 1, 3, 3}, {0, 4, 3, 3}, {0, 1, 0, 3}, {0, 1, 3, 2}};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(broken); i++)
        assert_false(hst_graph_is_sound(&(struct hst_graph){3, broken[i], targets}));
    assert_false(hst_graph_is_sound(&(struct hst_graph){HST_GRAPH_NONE, first, targets}));
    assert_true(hst_graph_is_sound(&(struct hst_graph){0, first, NULL}));
}

static void test_empty(void **state)
{
    (void)state;
    static const uint32_t first[] = {0};
    struct hst_graph graph = {0, first, NULL};
    struct hst_dominators dominators;
    struct hst_components components;
    uint32_t *backwards, *sources;
    assert_int_equal(hst_dominators_find(&graph, NULL, 0, &dominators), HST_OK);
    assert_int_equal(dominators.reached, 0);
    hst_dominators_release(&dominators);
    assert_int_equal(hst_components_find(&graph, &components), HST_OK);
    assert_int_equal(components.count, 0);
    hst_components_release(&components);
    assert_int_equal(hst_graph_reverse(&graph, &backwards, &sources), HST_OK);
    assert_int_equal(backwards[0], 0);
    hst_free(backwards);
    hst_free(sources);
}

/* A list whose end leads back to its second: a call a vertex would overflow any stack. */
static void test_deep(void **state)
{
    (void)state;
    enum { DEEP = 5000000 };
    uint32_t *first = hst_alloc(DEEP + 1, sizeof *first), *targets = hst_alloc(DEEP, sizeof *targets);
    uint64_t *weights = hst_alloc(DEEP, sizeof *weights), *sums = hst_alloc(DEEP, sizeof *sums);
    assert_true(first != NULL && targets != NULL && weights != NULL && sums != NULL);
    for (uint32_t v = 0; v < DEEP; v++) {
        first[v] = v;
        targets[v] = v + 1 < DEEP ? v + 1 : 1;
        weights[v] = 3;
    }
    first[DEEP] = DEEP;
    struct hst_graph graph = {DEEP, first, targets};
    struct hst_dominators dominators;
    struct hst_components components;
    uint32_t root = 0, edge, breaker;
    size_t count;
    assert_int_equal(hst_dominators_find(&graph, &root, 1, &dominators), HST_OK);
    hst_dominators_sum(&dominators, weights, sums);
    for (uint32_t v = 0; v < DEEP; v++)
        if (sums[v] != UINT64_C(3) * (DEEP - v) || dominators.above[v] != (v > 0 ? v - 1 : HST_GRAPH_ROOT))
            fail_msg("vertex %u", v);
    hst_dominators_release(&dominators);
    assert_int_equal(hst_components_find(&graph, &components), HST_OK);
    assert_int_equal(components.count, 2);
    assert_int_equal(components.of[0], 1);
    assert_int_equal(hst_component_cycle(&graph, &components, 0, &edge, 1, &count), HST_OK);
    assert_int_equal(count, DEEP - 1);
    assert_int_equal(edge, 1);
    assert_int_equal(hst_component_breaker(&graph, &components, 0, DEEP, &breaker), HST_OK);
    assert_int_equal(breaker, 1);
    hst_components_release(&components);
    hst_free(first);
    hst_free(targets);
    hst_free(weights);
    hst_free(sums);
}

/* Two long lists of the same items: no item is held by one list alone, and the way from it up to what holds
 * both is as long as the list before it. */
static void test_two_lists(void **state)
{
    (void)state;
    enum { LENGTH = 500000, COUNT = 3 * LENGTH };
    uint32_t *first = hst_alloc(COUNT + 1, sizeof *first), *targets = hst_alloc(4 * LENGTH, sizeof *targets);
    uint32_t edges = 0;
    assert_true(first != NULL && targets != NULL);
    for (uint32_t v = 0; v < COUNT; v++) {
        first[v] = edges;
        if (v >= 2 * LENGTH)
            continue;
        if ((v + 1) % LENGTH != 0)
            targets[edges++] = v + 1;
        targets[edges++] = 2 * LENGTH + v % LENGTH;
    }
    first[COUNT] = edges;
    static const uint32_t roots[] = {0, LENGTH};
    struct hst_dominators dominators;
    assert_int_equal(hst_dominators_find(&(struct hst_graph){COUNT, first, targets}, roots, 2, &dominators),
                     HST_OK);
    for (uint32_t v = 0; v < COUNT; v++)
        if (dominators.above[v] != (v >= 2 * LENGTH || v % LENGTH == 0 ? HST_GRAPH_ROOT : v - 1))
            fail_msg("vertex %u", v);
    hst_dominators_release(&dominators);
    hst_free(first);
    hst_free(targets);
}

enum { OUT_OF_MEMORY = 10, OTHER = 11 }; /* exit codes of a child */

/* Everything there is, on a ring with shortcuts. In the child: its exit code. */
static int ask_everything(void)
{
    enum { COUNT = 300 };
    static uint32_t first[COUNT + 1], targets[2 * COUNT], before[COUNT], cycle[COUNT];
    static uint8_t reached[COUNT];
    for (uint32_t v = 0; v < COUNT; v++) {
        first[v + 1] = 2 * (v + 1);
        targets[2 * v] = (v + 1) % COUNT;
        targets[2 * v + 1] = v < 30 ? v * 9 + 1 : 0;
    }
    struct hst_graph graph = {COUNT, first, targets};
    HST_CLEANUP_FREE uint32_t *backwards = NULL, *sources = NULL;
    HST_CLEANUP(hst_dominators_release) struct hst_dominators dominators = {0};
    HST_CLEANUP(hst_components_release) struct hst_components components = {0};
    uint32_t root = 0, breaker;
    size_t length;
    enum hst_status status = hst_graph_reverse(&graph, &backwards, &sources);
    status = status != HST_OK ? status : hst_graph_reach(&graph, &root, 1, NULL, reached);
    status = status != HST_OK ? status : hst_graph_shortest(&graph, &root, 1, before);
    status = status != HST_OK ? status : hst_dominators_find(&graph, &root, 1, &dominators);
    status = status != HST_OK ? status : hst_components_find(&graph, &components);
    status = status != HST_OK ? status : hst_component_cycle(&graph, &components, 0, cycle, COUNT, &length);
    status = status != HST_OK ? status : hst_component_breaker(&graph, &components, 0, COUNT, &breaker);
    return status == HST_OK ? 0 : status == HST_E_NOMEM ? OUT_OF_MEMORY : OTHER;
}

/* The first test, before anything here was allocated: which allocation fails is looked up but once. */
static void test_out_of_memory(void **state)
{
    (void)state;
    int code = OUT_OF_MEMORY, failed = 0;
    while (code == OUT_OF_MEMORY) {
        int status;
        (void)fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            char number[16];
            (void)snprintf(number, sizeof number, "%d", failed + 1);
            (void)setenv("HST_FAIL_ALLOC", number, 1);
            exit(ask_everything()); /* exit, not _exit: the leak check runs there */
        }
        assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
        code = WEXITSTATUS(status);
        failed += code == OUT_OF_MEMORY;
    }
    assert_int_equal(code, 0);
    if (failed == 0)
        skip(); /* a build without fault_injection */
    assert_true(failed > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_out_of_memory),
                                       cmocka_unit_test(test_by_chance),
                                       cmocka_unit_test(test_order_of_shortest),
                                       cmocka_unit_test(test_broken),
                                       cmocka_unit_test(test_empty),
                                       cmocka_unit_test(test_deep),
                                       cmocka_unit_test(test_two_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
