/* Writes snapshots of a heap made by hand into the store, so that the commands' answers are known: a program
 * with a cache that leaks, a cycle, garbage, and things to save.  usage: make_heap NUMBER_OF_SNAPSHOTS */
#include "../unit/small_heap.h"

#include "base/memory.h"
#include "store/heap_writer.h"
#include "store/store.h"

enum { ORDERS = 300 };

static void die(const char *what)
{
    (void)fprintf(stderr, "make_heap: %s\n", what);
    exit(1);
}

static void add_orders(struct small *small, uint32_t app, uint32_t number)
{
    uint32_t cache = small_object(small, "dict", 400), orders = small_object(small, "list", 2000);
    small_entry(small, app, "CACHE", cache);
    small_entry(small, cache, "orders", orders);
    for (uint32_t i = 0; i < number; i++) {
        uint32_t order = small_object(small, "app.Order", 200);
        small_item(small, orders, i, order);
        small_field(small, order, HST_PLACE_ATTRIBUTE, 0, "customer", small_value(small, "str", "Smith"));
    }
}

static void add_cycles(struct small *small, uint32_t app)
{
    for (int i = 0; i < 4; i++) {
        uint32_t parent = small_object(small, "app.Tree", 70), child = small_object(small, "app.Leaf", 30);
        small_field(small, parent, HST_PLACE_ATTRIBUTE, 0, "leaf", child);
        small_field(small, child, HST_PLACE_ATTRIBUTE, 0, "parent", parent);
        if (i == 0)
            small_entry(small, app, "TREE", parent);
    }
}

static void add_findings(struct small *small)
{
    struct hst_heap *heap = &small->heap;
    heap->findings = calloc(3, sizeof *heap->findings);
    heap->findings[heap->finding_count++] =
        (struct hst_heap_finding){.kind = HST_FINDING_DUPLICATE,
                                  .type = small_type(small, "str"),
                                  .example = HST_HEAP_NONE,
                                  .text = hst_strings_add_z(&heap->strings, "Smith"),
                                  .objects = ORDERS,
                                  .bytes = (ORDERS - 1) * 50};
    heap->findings[heap->finding_count++] = (struct hst_heap_finding){.kind = HST_FINDING_SLOTS,
                                                                      .type = small_type(small, "app.Order"),
                                                                      .example = HST_HEAP_NONE,
                                                                      .objects = ORDERS,
                                                                      .bytes = ORDERS * 48};
    heap->findings[heap->finding_count++] = (struct hst_heap_finding){.kind = HST_FINDING_LIST_SLACK,
                                                                      .type = small_type(small, "list"),
                                                                      .example = HST_HEAP_NONE,
                                                                      .objects = 1,
                                                                      .bytes = 800};
}

static void write_one(struct hst_store *store, uint32_t number)
{
    struct small small;
    struct hst_error err = {0};
    struct hst_run_info info = {.exit_status = -1, .start_wall_ns = UINT64_C(1790000000000000000) + number};
    small_init(&small);
    uint32_t app = small_module(&small, "app"), other = small_module(&small, "app.util");
    add_cycles(&small, app);
    small_entry(&small, other, "TABLE", small_object(&small, "bytes", 3000000));
    add_orders(&small, app, number * ORDERS);
    small_root(&small, small_object(&small, "list", 56), HST_ROOT_FRAME, "main (app.py:3): rows");
    add_findings(&small);
    (void)snprintf(info.command, sizeof info.command, "python3 app.py");
    if (hst_heap_write(store, &info, small_finish(&small), &err) != HST_OK)
        die(err.text);
    small_release(&small);
}

int main(int argc, char **argv)
{
    struct hst_error err = {0};
    struct hst_store *store;
    char *path = hst_store_locate(NULL, ".");
    if (argc != 2 || path == NULL)
        die("usage: make_heap NUMBER_OF_SNAPSHOTS");
    if (hst_store_open(path, HST_STORE_WRITE, &store, &err) != HST_OK)
        die(err.text);
    for (uint32_t i = 1; i <= (uint32_t)atoi(argv[1]); i++)
        write_one(store, i);
    hst_store_free(store);
    hst_free(path);
    return 0;
}
