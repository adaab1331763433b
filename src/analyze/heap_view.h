/* A snapshot and what is computed from it once for all questions: who alone keeps what alive, what freeing it
 * would give, a shortest path from the roots. Each is computed when it is first needed. */
#ifndef HST_ANALYZE_HEAP_VIEW_H
#define HST_ANALYZE_HEAP_VIEW_H

#include "base/map.h"
#include "base/status.h"
#include "graph/dominators.h"
#include "graph/graph.h"
#include "model/heap.h"

struct hst_heap_view {
    const struct hst_heap *heap;
    struct hst_graph graph;
    /* The objects of the heap's roots, each once, those first that say most to a person: modules, frames. */
    uint32_t *roots;
    size_t root_count, module_count, telling_count; /* telling: modules and frames */
    struct hst_map root_rows;                       /* object -> the row of heap->roots that says most */
    uint64_t all_bytes;
    uint8_t *machinery;          /* by type: HST_HEAP_PLAIN, ... */
    struct hst_map module_dicts; /* the dict of a module's names -> the module */

    /* HST_HEAP_RETAINED */
    struct hst_dominators dominators;
    uint64_t *retained;
    uint64_t reached_bytes;
    /* HST_HEAP_CHILDREN: whom an object dominates; those of the virtual root are at index count */
    uint32_t *child_first, *children;
    /* HST_HEAP_PATHS: the object before, and the edge from there; HST_HEAP_NONE: a root, or no path */
    uint32_t *before, *via;
    /* HST_HEAP_INCOMING: the edges that lead to an object, in order */
    uint32_t *incoming_first, *incoming;
};

enum hst_heap_need {
    HST_HEAP_RETAINED = 1,
    HST_HEAP_CHILDREN = 2, /* with RETAINED */
    HST_HEAP_PATHS = 4,
    HST_HEAP_INCOMING = 8,
};

/* Refuses a heap whose columns do not fit together. The heap must live as long as the view. */
enum hst_status hst_heap_view_init(struct hst_heap_view *view, const struct hst_heap *heap,
                                   struct hst_error *err) HST_MUST_CHECK;
void hst_heap_view_release(struct hst_heap_view *view);
/* needs: of enum hst_heap_need. */
enum hst_status hst_heap_view_need(struct hst_heap_view *view, unsigned needs) HST_MUST_CHECK;

/* The child that retains most; HST_HEAP_NONE: it dominates nothing. Object may be HST_GRAPH_ROOT. */
uint32_t hst_heap_view_biggest(const struct hst_heap_view *view, uint32_t object);
/* From an object down, as long as the biggest child keeps at least share of what its parent retains. */
uint32_t hst_heap_view_descend(const struct hst_heap_view *view, uint32_t object, double share);
/* The children of an object (or HST_GRAPH_ROOT) begin at the result, *ret_count of them. */
const uint32_t *hst_heap_view_children(const struct hst_heap_view *view, uint32_t object, size_t *ret_count);
/* The row of heap->roots that says most about an object; NULL: it is no root. */
const struct hst_heap_root *hst_heap_view_root(const struct hst_heap_view *view, uint32_t object);

/* Types whose objects paths and holders treat in their own way. */
enum hst_heap_machinery {
    HST_HEAP_PLAIN = 0,
    HST_HEAP_MODULE,
    HST_HEAP_DICT,
    HST_HEAP_CELL,
    HST_HEAP_STR,
    HST_HEAP_BYTES,
    HST_HEAP_INT,
    HST_HEAP_CODE,
    HST_HEAP_TUPLE,
};
static inline int hst_heap_view_kind(const struct hst_heap_view *view, uint32_t object)
{
    return view->machinery[view->heap->types[object]];
}
/* Whether a type is the interpreter's own: its name has no module, or builtins. */
int hst_heap_view_is_builtin(const struct hst_heap_view *view, uint32_t type);
/* sys.modules, a module, or the names of a module: they hold the whole program, and say nothing by that. */
int hst_heap_view_is_frame_of_program(const struct hst_heap_view *view, uint32_t object);

#endif
