/* Goes down the last tree of dominators along what grew since the snapshot before; where no child explains
 * the growth, there it accumulates. Such a point is a suspect when it grew in every interval, and in the last
 * one not much less than before: a cache that fills and a program that warms up stop, a buffer that is
 * emptied shrinks. */
#include "analyze/heap_growth.h"

#include <string.h>

#include "analyze/heap_holders.h"
#include "analyze/heap_match.h"
#include "base/memory.h"

#define LEAST_BYTES 16384    /* that an interval must bring */
#define LEAST_SHARE 0.002    /* the same, of the last heap */
#define SLOWS_DOWN 0.25      /* less than that of the interval before: it comes to an end */
#define GARBAGE_SHARE 0.02   /* of the heap: garbage comes and goes, as the collector likes */
#define GARBAGE_BYTES 400000 /* the same for small heaps: about what it may leave between two rounds */
enum { INTERVALS = HST_HEAP_SUSPECT_RUNS - 1 };

struct growth {
    struct hst_heap_view *const *views;
    size_t count; /* of views */
    size_t last;
    struct hst_heap_suspect_list *list;
    struct hst_heap_type_names names;
    uint64_t *objects[HST_HEAP_SUSPECT_RUNS]; /* objects that an object dominates, with itself */
    uint32_t *match[INTERVALS];               /* object of the last heap -> of an earlier one */
    uint8_t *followed[HST_HEAP_SUSPECT_RUNS]; /* its growth was looked for below it */
    int64_t threshold;
};

/* One object in all heaps. */
struct peers {
    uint32_t
        in[HST_HEAP_SUSPECT_RUNS]; /* HST_HEAP_NONE: it was not there; HST_GRAPH_ROOT: the virtual root */
};

struct work {
    struct peers *items;
    size_t count, capacity;
};

/* What came below an object in each interval, without what children explain. */
struct sums {
    int64_t bytes[INTERVALS], objects[INTERVALS];
};

static int64_t retained(const struct growth *growth, size_t run, uint32_t object)
{
    const struct hst_heap_view *view = growth->views[run];
    if (object == HST_HEAP_NONE)
        return 0;
    return (int64_t)(object == HST_GRAPH_ROOT ? view->reached_bytes : view->retained[object]);
}

static int64_t objects_below(const struct growth *growth, size_t run, uint32_t object)
{
    if (object == HST_HEAP_NONE)
        return 0;
    return (int64_t)(object == HST_GRAPH_ROOT ? growth->views[run]->dominators.reached
                                              : growth->objects[run][object]);
}

static void add_sums(const struct growth *growth, const struct peers *peers, int sign, struct sums *sums)
{
    for (size_t i = 0; i < growth->last; i++) {
        sums->bytes[i] +=
            sign * (retained(growth, i + 1, peers->in[i + 1]) - retained(growth, i, peers->in[i]));
        sums->objects[i] +=
            sign * (objects_below(growth, i + 1, peers->in[i + 1]) - objects_below(growth, i, peers->in[i]));
    }
}

/* Whether growth went on through all intervals, up to the end. */
static int keeps_growing(const struct growth *growth, const int64_t *bytes, int64_t threshold)
{
    for (size_t i = 0; i < growth->last; i++)
        if (bytes[i] < threshold || (i > 0 && (double)bytes[i] < SLOWS_DOWN * (double)bytes[i - 1]))
            return 0;
    return 1;
}

/* Without the interpreter lock each thread has a copy of the instructions that it runs (3.14): so code grows,
 * and with it the functions that have it, while nothing new is there. */
static int is_only_code(const struct growth *growth, uint32_t name, const struct sums *sums)
{
    const char *type = hst_strings_get(&growth->names.strings, name);
    return sums->objects[growth->last - 1] <= 0 &&
           (strcmp(type, "function") == 0 || strcmp(type, "code") == 0);
}

static int same_text(const struct hst_heap *a, uint32_t x, const struct hst_heap *b, uint32_t y)
{
    size_t x_length, y_length;
    const char *p = hst_heap_value(a, x, &x_length), *q = hst_heap_value(b, y, &y_length);
    return p != NULL && q != NULL && x_length == y_length && memcmp(p, q, x_length) == 0;
}

/* Whether two edges stand in the same place of their sources: by index, of a dict by the key. */
static int same_place(const struct hst_heap *a, uint32_t x, const struct hst_heap *b, uint32_t y)
{
    enum hst_place_kind kind = hst_place_kind_of(a->places[x]);
    if (kind != hst_place_kind_of(b->places[y]))
        return 0;
    if (kind != HST_PLACE_VALUE)
        return a->places[x] == b->places[y];
    return x > 0 && y > 0 && same_text(a, a->targets[x - 1], b, b->targets[y - 1]);
}

/* An object that was made anew and put where the one before it was: data = data + more. */
static uint32_t successor_of(const struct growth *growth, const struct peers *above, uint32_t child,
                             size_t run)
{
    const struct hst_heap *last = growth->views[growth->last]->heap, *earlier = growth->views[run]->heap;
    uint32_t source = above->in[growth->last], old_source = above->in[run], edge;
    if (source >= last->count || old_source >= earlier->count || last->places == NULL ||
        earlier->places == NULL)
        return HST_HEAP_NONE;
    for (edge = last->first[source]; edge < last->first[source + 1] && last->targets[edge] != child; edge++)
        ;
    if (edge == last->first[source + 1])
        return HST_HEAP_NONE;
    for (uint32_t old = earlier->first[old_source]; old < earlier->first[old_source + 1]; old++) {
        uint32_t target = earlier->targets[old];
        if (growth->names.of[run][earlier->types[target]] ==
                growth->names.of[growth->last][last->types[child]] &&
            same_place(last, edge, earlier, old))
            return target;
    }
    return HST_HEAP_NONE;
}

static struct peers peers_of(const struct growth *growth, const struct peers *above, uint32_t child)
{
    struct peers peers = {{HST_HEAP_NONE, HST_HEAP_NONE, HST_HEAP_NONE}};
    peers.in[growth->last] = child;
    for (size_t i = 0; i < growth->last; i++) {
        peers.in[i] = growth->match[i][child];
        if (peers.in[i] == HST_HEAP_NONE && retained(growth, growth->last, child) >= growth->threshold)
            peers.in[i] = successor_of(growth, above, child, i);
    }
    return peers;
}

static enum hst_status add_suspect(struct growth *growth, enum hst_suspect_reason reason, uint32_t type,
                                   uint32_t holder, uint32_t example, const struct sums *sums)
{
    const struct hst_heap_view *view = growth->views[growth->last];
    struct hst_heap_suspect suspect = {.reason = reason, .type = type, .holder = holder, .example = example};
    for (size_t i = 0; i < growth->last; i++) {
        suspect.growth_bytes += sums->bytes[i];
        suspect.growth_objects += sums->objects[i];
    }
    if (holder != HST_HEAP_NONE && reason == HST_SUSPECT_GROWS) {
        suspect.bytes = view->retained[holder];
        suspect.objects = growth->objects[growth->last][holder];
    }
    /* who refers to the objects need not own them */
    if (suspect.bytes < (uint64_t)suspect.growth_bytes)
        suspect.bytes = (uint64_t)suspect.growth_bytes;
    if (suspect.growth_objects > 0 && suspect.objects < (uint64_t)suspect.growth_objects)
        suspect.objects = (uint64_t)suspect.growth_objects;
    return hst_heap_suspect_list_add(growth->list, &suspect);
}

/* The new children of a point, and what they are. */
static enum hst_status judge(struct growth *growth, const struct peers *point, const struct sums *sums)
{
    struct hst_heap_view *view = growth->views[growth->last];
    uint32_t object = point->in[growth->last];
    size_t count, new_count = 0;
    const uint32_t *children = hst_heap_view_children(view, object, &count);
    HST_CLEANUP_FREE uint32_t *fresh = hst_alloc(count + 1, sizeof *fresh);
    struct hst_heap_gathering gathering;
    if (fresh == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        if (growth->match[growth->last - 1][children[i]] == HST_HEAP_NONE)
            fresh[new_count++] = children[i];
    HST_TRY(hst_heap_gathering_find(view, object, fresh, new_count, &gathering));
    if (gathering.type == HST_HEAP_NONE)
        gathering.type = view->heap->types[object];
    return add_suspect(growth, HST_SUSPECT_GROWS, gathering.type, gathering.holder, gathering.example, sums);
}

static int is_link(const struct hst_heap_view *view, uint32_t object, uint32_t child)
{
    const uint32_t *types = view->heap->types;
    return object != HST_GRAPH_ROOT && types[object] == types[child] &&
           !hst_heap_view_is_builtin(view, types[object]);
}

static enum hst_status follow(struct growth *growth, struct work *work, const struct peers *point)
{
    const struct hst_heap_view *view = growth->views[growth->last];
    struct sums sums = {0};
    size_t count;
    const uint32_t *children = hst_heap_view_children(view, point->in[growth->last], &count);
    add_sums(growth, point, 1, &sums);
    for (size_t i = 0; i < count; i++) {
        /* A list of linked objects grows at an end that is another each time: its beginning stays. */
        if (retained(growth, growth->last, children[i]) < growth->threshold ||
            is_link(view, point->in[growth->last], children[i]))
            continue;
        struct peers child = peers_of(growth, point, children[i]);
        uint32_t before = child.in[growth->last - 1];
        if (before == HST_HEAP_NONE ||
            retained(growth, growth->last, children[i]) - retained(growth, growth->last - 1, before) <
                growth->threshold)
            continue;
        add_sums(growth, &child, -1, &sums);
        for (size_t run = 0; run < growth->count; run++)
            if (child.in[run] < growth->views[run]->heap->count)
                growth->followed[run][child.in[run]] = 1;
        if (!HST_RESERVE(work->items, work->capacity, work->count + 1))
            return HST_E_NOMEM;
        work->items[work->count++] = child;
    }
    int is_root = point->in[growth->last] == HST_GRAPH_ROOT;
    if (is_root || point->in[0] == HST_HEAP_NONE || !keeps_growing(growth, sums.bytes, growth->threshold))
        return HST_OK;
    uint32_t type = view->heap->types[point->in[growth->last]];
    if (is_only_code(growth, growth->names.of[growth->last][type], &sums))
        return HST_OK;
    return judge(growth, point, &sums);
}

/* --- what no object holds: below the virtual root, and what nothing reaches ----------------------------- */

enum group { GROUP_SHARED, GROUP_NATIVE, GROUP_GARBAGE, GROUPS };

/* Marks what only C code holds. */
static void mark_native(const struct hst_heap *heap, uint8_t *native)
{
    for (size_t i = 0; i < heap->root_count; i++)
        if (heap->roots[i].kind == HST_ROOT_NATIVE)
            native[heap->roots[i].object] |= 1;
        else
            native[heap->roots[i].object] |= 2;
}

static void add_to(struct growth *growth, struct sums *sums, size_t run, int64_t bytes)
{
    if (run > 0) {
        sums->bytes[run - 1] += bytes;
        sums->objects[run - 1]++;
    }
    if (run < growth->last) {
        sums->bytes[run] -= bytes;
        sums->objects[run]--;
    }
}

static enum hst_status sum_groups(struct growth *growth, struct sums *by_type[GROUPS])
{
    for (size_t run = 0; run < growth->count; run++) {
        const struct hst_heap_view *view = growth->views[run];
        const struct hst_heap *heap = view->heap;
        HST_CLEANUP_FREE uint8_t *native = hst_alloc_zero(heap->count + 1, 1);
        if (native == NULL)
            return HST_E_NOMEM;
        mark_native(heap, native);
        for (uint32_t i = 0; i < heap->count; i++) {
            uint32_t above = view->dominators.above[i], type = growth->names.of[run][heap->types[i]];
            if (above == HST_GRAPH_NONE)
                add_to(growth, &by_type[GROUP_GARBAGE][type], run, (int64_t)heap->bytes[i]);
            else if (above == HST_GRAPH_ROOT && !growth->followed[run][i])
                add_to(growth, &by_type[native[i] == 1 ? GROUP_NATIVE : GROUP_SHARED][type], run,
                       (int64_t)view->retained[i]);
        }
    }
    return HST_OK;
}

/* Those of the last heap's objects that are of a group and type. *ret_count of them. */
static enum hst_status members(struct growth *growth, enum group group, uint32_t type, uint32_t **ret_objects,
                               size_t *ret_count)
{
    const struct hst_heap_view *view = growth->views[growth->last];
    const struct hst_heap *heap = view->heap;
    HST_CLEANUP_FREE uint8_t *native = hst_alloc_zero(heap->count + 1, 1);
    uint32_t *objects = hst_alloc(heap->count + 1, sizeof *objects);
    if (native == NULL || objects == NULL) {
        hst_free(objects);
        return HST_E_NOMEM;
    }
    mark_native(heap, native);
    *ret_count = 0;
    for (uint32_t i = 0; i < heap->count; i++)
        if (view->dominators.above[i] == HST_GRAPH_ROOT && !growth->followed[growth->last][i] &&
            growth->names.of[growth->last][heap->types[i]] == type &&
            (native[i] == 1) == (group == GROUP_NATIVE))
            objects[(*ret_count)++] = i;
    *ret_objects = objects;
    return HST_OK;
}

static enum hst_status judge_group(struct growth *growth, enum group group, uint32_t type,
                                   const struct sums *sums)
{
    HST_CLEANUP_FREE uint32_t *objects = NULL;
    size_t count;
    struct hst_heap_gathering gathering;
    HST_TRY(members(growth, group, type, &objects, &count));
    HST_TRY(hst_heap_gathering_find(growth->views[growth->last], HST_GRAPH_ROOT, objects, count, &gathering));
    if (gathering.type == HST_HEAP_NONE)
        return HST_OK;
    return add_suspect(growth, group == GROUP_NATIVE ? HST_SUSPECT_NATIVE : HST_SUSPECT_GROWS, gathering.type,
                       group == GROUP_NATIVE ? HST_HEAP_NONE : gathering.holder, gathering.example, sums);
}

/* All garbage is one suspect, named by the type of the program's own that takes most of it. */
static enum hst_status judge_garbage(struct growth *growth, const struct sums *by_type)
{
    const struct hst_heap_view *view = growth->views[growth->last];
    struct sums all = {0};
    uint32_t best = HST_HEAP_NONE;
    int64_t best_bytes = 0;
    for (uint32_t i = 0; i < growth->names.strings.count; i++)
        for (size_t k = 0; k < growth->last; k++) {
            all.bytes[k] += by_type[i].bytes[k];
            all.objects[k] += by_type[i].objects[k];
        }
    for (int own = 1; own >= 0 && best == HST_HEAP_NONE; own--)
        for (uint32_t type = 0; type < view->heap->type_count; type++) {
            int64_t bytes = by_type[growth->names.of[growth->last][type]].bytes[growth->last - 1];
            if (bytes > best_bytes && (!own || !hst_heap_view_is_builtin(view, type))) {
                best = type;
                best_bytes = bytes;
            }
        }
    int64_t share = (int64_t)(GARBAGE_SHARE * (double)view->all_bytes);
    int64_t least = share > GARBAGE_BYTES ? share : GARBAGE_BYTES;
    if (best == HST_HEAP_NONE || !keeps_growing(growth, all.bytes, least))
        return HST_OK;
    uint32_t example = 0;
    while (example < view->heap->count &&
           (view->heap->types[example] != best || view->dominators.above[example] != HST_GRAPH_NONE))
        example++;
    return add_suspect(growth, HST_SUSPECT_GARBAGE, best, HST_HEAP_NONE,
                       example < view->heap->count ? example : HST_HEAP_NONE, &all);
}

static enum hst_status judge_groups(struct growth *growth)
{
    size_t types = growth->names.strings.count + 1;
    struct sums *by_type[GROUPS] = {hst_alloc_zero(types, sizeof **by_type),
                                    hst_alloc_zero(types, sizeof **by_type),
                                    hst_alloc_zero(types, sizeof **by_type)};
    enum hst_status status = by_type[0] != NULL && by_type[1] != NULL && by_type[2] != NULL
                                 ? sum_groups(growth, by_type)
                                 : HST_E_NOMEM;
    for (int group = GROUP_SHARED; group <= GROUP_NATIVE && status == HST_OK; group++)
        for (uint32_t i = 0; i < growth->names.strings.count && status == HST_OK; i++)
            if (keeps_growing(growth, by_type[group][i].bytes, growth->threshold) &&
                !is_only_code(growth, i, &by_type[group][i]) &&
                (group != GROUP_NATIVE || keeps_growing(growth, by_type[group][i].objects, 1)))
                status = judge_group(growth, group, i, &by_type[group][i]);
    if (status == HST_OK)
        status = judge_garbage(growth, by_type[GROUP_GARBAGE]);
    for (int group = 0; group < GROUPS; group++)
        hst_free(by_type[group]);
    return status;
}

/* --- the whole ----------------------------------------------------------------------------------------- */

static enum hst_status prepare(struct growth *growth, const struct hst_heap **heaps)
{
    for (size_t run = 0; run < growth->count; run++) {
        struct hst_heap_view *view = growth->views[run];
        heaps[run] = view->heap;
        HST_TRY(hst_heap_view_need(view, HST_HEAP_CHILDREN));
        HST_CLEANUP_FREE uint64_t *ones = hst_alloc(view->heap->count + 1, sizeof *ones);
        growth->objects[run] = hst_alloc(view->heap->count + 1, sizeof *ones);
        growth->followed[run] = hst_alloc_zero(view->heap->count + 1, 1);
        if (ones == NULL || growth->objects[run] == NULL || growth->followed[run] == NULL)
            return HST_E_NOMEM;
        for (size_t i = 0; i < view->heap->count; i++)
            ones[i] = 1;
        hst_dominators_sum(&view->dominators, ones, growth->objects[run]);
    }
    HST_TRY(hst_heap_type_names_init(&growth->names, heaps, growth->count));
    for (size_t i = 0; i < growth->last; i++) {
        growth->match[i] = hst_alloc(heaps[growth->last]->count + 1, sizeof *growth->match[i]);
        if (growth->match[i] == NULL)
            return HST_E_NOMEM;
        hst_heap_match(&growth->names, heaps, i, growth->last, growth->match[i]);
    }
    return HST_OK;
}

static enum hst_status follow_all(struct growth *growth, struct work *work)
{
    const struct peers root = {{HST_GRAPH_ROOT, HST_GRAPH_ROOT, HST_GRAPH_ROOT}};
    if (growth->last >= HST_HEAP_SUSPECT_RUNS) /* never so: it tells the analyser what was checked before */
        return HST_E_INVALID;
    HST_TRY(follow(growth, work, &root));
    while (work->count > 0) { /* ends: each object has one dominator, so it comes once */
        const struct peers point = work->items[--work->count];
        HST_TRY(follow(growth, work, &point));
    }
    return judge_groups(growth);
}

enum hst_status hst_heap_growth_find(struct hst_heap_view *const *views, size_t count,
                                     struct hst_heap_suspect_list *list)
{
    const struct hst_heap *heaps[HST_HEAP_SUSPECT_RUNS];
    struct growth growth = {.views = views, .count = count, .last = count - 1, .list = list};
    struct work work = {0};
    if (count < 2 || count > HST_HEAP_SUSPECT_RUNS)
        return HST_E_INVALID;
    growth.threshold = (int64_t)(LEAST_SHARE * (double)views[growth.last]->all_bytes);
    if (growth.threshold < LEAST_BYTES)
        growth.threshold = LEAST_BYTES;
    enum hst_status status = prepare(&growth, heaps);
    if (status == HST_OK)
        status = follow_all(&growth, &work);
    for (size_t run = 0; run < HST_HEAP_SUSPECT_RUNS; run++) {
        hst_free(growth.objects[run]);
        hst_free(growth.followed[run]);
        if (run < INTERVALS)
            hst_free(growth.match[run]);
    }
    hst_free(work.items);
    hst_heap_type_names_release(&growth.names);
    return status;
}
