/* Questions to made heaps whose answers are known by construction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/heap_compare.h"
#include "analyze/heap_counts.h"
#include "analyze/heap_cycles.h"
#include "analyze/heap_query.h"
#include "analyze/heap_refs.h"
#include "analyze/heap_top.h"
#include "analyze/heap_by_type.h"
#include "base/memory.h"
#include "small_heap.h"

struct answers {
    struct small small;
    struct hst_heap_view view;
    uint32_t app, rows, cache, shared, parent, child, garbage;
};

/* module app: ROWS, a list of 100 app.Row (each with a str of its own); CACHE, a dict with one value;
 * app.Pair p and q that share one object; a cycle that is reached and two alike that are garbage. */
static int begin(void **state)
{
    struct answers *answers = calloc(1, sizeof *answers);
    struct small *small = &answers->small;
    small_init(small);
    answers->app = small_module(small, "app");
    answers->rows = small_object(small, "list", 856);
    small_entry(small, answers->app, "ROWS", answers->rows);
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t row = small_object(small, "app.Row", 100);
        small_item(small, answers->rows, i, row);
        small_field(small, row, HST_PLACE_ATTRIBUTE, 0, "text", small_value(small, "str", "a text"));
    }
    answers->cache = small_object(small, "dict", 200);
    small_entry(small, answers->app, "CACHE", answers->cache);
    small_entry(small, answers->cache, "only", small_object(small, "bytes", 20000));
    uint32_t p = small_object(small, "app.Pair", 60), q = small_object(small, "app.Pair", 60);
    answers->shared = small_object(small, "app.Row", 5000);
    small_entry(small, answers->app, "P", p);
    small_entry(small, answers->app, "Q", q);
    small_field(small, p, HST_PLACE_ATTRIBUTE, 1, "row", answers->shared);
    small_field(small, q, HST_PLACE_ATTRIBUTE, 1, "row", answers->shared);
    for (int i = 0; i < 3; i++) {
        uint32_t parent = small_object(small, "app.Tree", 70), child = small_object(small, "app.Leaf", 30);
        small_field(small, parent, HST_PLACE_ATTRIBUTE, 0, "leaf", child);
        small_field(small, child, HST_PLACE_ATTRIBUTE, 0, "parent", parent);
        if (i == 0) {
            small_entry(small, answers->app, "TREE", parent);
            answers->parent = parent;
            answers->child = child;
        } else {
            answers->garbage = parent;
        }
    }
    assert_int_equal(hst_heap_view_init(&answers->view, small_finish(small), NULL), HST_OK);
    *state = answers;
    return 0;
}

static int end(void **state)
{
    struct answers *answers = *state;
    hst_heap_view_release(&answers->view);
    small_release(&answers->small);
    free(answers);
    return 0;
}

static struct hst_heap_type_row type_row(const struct answers *answers, const struct hst_heap_by_type *types,
                                         const char *name)
{
    for (size_t i = 0; i < types->count; i++)
        if (strcmp(hst_heap_type_name(answers->view.heap, types->rows[i].type), name) == 0)
            return types->rows[i];
    fail_msg("no type %s", name);
    return (struct hst_heap_type_row){0};
}

static void test_types(void **state)
{
    struct answers *answers = *state;
    struct hst_heap_by_type types;
    assert_int_equal(hst_heap_by_type_init(&types, &answers->view, HST_HEAP_SORT_BYTES, 100), HST_OK);
    struct hst_heap_type_row row = type_row(answers, &types, "app.Row");
    assert_int_equal(row.objects, 101);
    assert_int_equal(row.bytes, 100 * 100 + 5000);
    assert_int_equal(row.retained, 100 * 150 + 5000);
    assert_true(row.exact);
    /* together they hold what none holds alone */
    assert_int_equal(type_row(answers, &types, "app.Pair").retained, 2 * 60 + 5000);
    assert_string_equal(hst_heap_type_name(answers->view.heap, types.rows[0].type), "bytes");
    hst_heap_by_type_release(&types);
    assert_int_equal(hst_heap_by_type_init(&types, &answers->view, HST_HEAP_SORT_OBJECTS, 1), HST_OK);
    assert_string_equal(hst_heap_type_name(answers->view.heap, types.rows[0].type), "str");
    row = type_row(answers, &types, "app.Pair");
    assert_false(row.exact);
    assert_int_equal(row.retained, 2 * 60);
    /* a module lies above a module's names: counted once */
    assert_int_equal(type_row(answers, &types, "dict").retained,
                     answers->view.retained[answers->small.modules]);
    hst_heap_by_type_release(&types);
}

static void test_top_folds_chains(void **state)
{
    struct answers *answers = *state;
    HST_CLEANUP_FREE struct hst_heap_top_row *rows = NULL;
    size_t count;
    assert_int_equal(hst_heap_top_find(&answers->view, 4, 0, &rows, &count), HST_OK);
    assert_int_equal(count, 4);
    assert_int_equal(answers->view.heap->types[rows[0].begin], small_type(&answers->small, "module"));
    assert_int_equal(rows[0].end, answers->app); /* the module is its names */
    assert_int_equal(rows[1].begin, answers->cache);
    assert_string_equal(hst_heap_type_name(answers->view.heap, answers->view.heap->types[rows[1].end]),
                        "bytes");
    assert_int_equal(rows[2].begin, answers->rows);
    assert_int_equal(rows[2].end, answers->rows);
    assert_int_equal(rows[3].begin, answers->shared);
    HST_CLEANUP_FREE struct hst_heap_top_row *large = NULL;
    assert_int_equal(hst_heap_top_find(&answers->view, 4, 20000, &large, &count), HST_OK);
    assert_int_equal(count, 2);
}

static void test_tree_groups_what_is_alike(void **state)
{
    struct answers *answers = *state;
    struct hst_heap_tree tree;
    assert_int_equal(hst_heap_tree_init(&tree, &answers->view, answers->rows, 2, 10), HST_OK);
    assert_int_equal(tree.count, 2);
    assert_int_equal(tree.rows[0].object, answers->rows);
    assert_int_equal(tree.rows[1].object, HST_HEAP_NONE);
    assert_int_equal(tree.rows[1].objects, 100);
    assert_int_equal(tree.rows[1].retained, 100 * 150);
    hst_heap_tree_release(&tree);
    assert_int_equal(hst_heap_tree_init(&tree, &answers->view, HST_GRAPH_ROOT, 3, 10), HST_OK);
    uint64_t sum = 0;
    for (size_t i = 0; i < tree.count; i++)
        if (tree.rows[i].depth == 1)
            sum += tree.rows[i].retained;
    assert_int_equal(sum, answers->view.reached_bytes);
    hst_heap_tree_release(&tree);
}

static void test_referrers(void **state)
{
    struct answers *answers = *state;
    HST_CLEANUP_FREE uint32_t *edges = NULL;
    size_t count, total;
    assert_int_equal(hst_heap_referrers_find(&answers->view, answers->shared, 10, &edges, &count, &total),
                     HST_OK);
    assert_int_equal(count, 2);
    assert_int_equal(total, 2);
    for (size_t i = 0; i < count; i++) {
        uint32_t source = hst_heap_path_source(answers->view.heap, edges[i]);
        assert_int_equal(answers->view.heap->types[source], small_type(&answers->small, "app.Pair"));
        assert_int_equal(answers->view.heap->targets[edges[i]], answers->shared);
    }
}

static void test_paths_of_a_type_are_merged(void **state)
{
    struct answers *answers = *state;
    struct hst_heap_merged merged;
    struct hst_buffer text;
    assert_int_equal(hst_heap_merged_init(&merged, &answers->view, small_type(&answers->small, "app.Row")),
                     HST_OK);
    assert_int_equal(merged.count, 2);
    assert_int_equal(merged.objects, 101);
    assert_int_equal(merged.rows[0].objects, 100);
    assert_int_equal(merged.rows[0].retained, 100 * 150);
    hst_buffer_init(&text, 0);
    assert_int_equal(
        hst_heap_path_add_steps(&answers->view, merged.rows[0].steps, merged.rows[0].step_count, 1, &text),
        HST_OK);
    hst_buffer_add_byte(&text, '\0');
    assert_string_equal((char *)text.data, "app.ROWS[*]");
    hst_buffer_release(&text);
    assert_int_equal(merged.rows[1].objects, 1);
    hst_heap_merged_release(&merged);
    assert_int_equal(hst_heap_merged_init(&merged, &answers->view, small_type(&answers->small, "app.Tree")),
                     HST_OK);
    assert_int_equal(merged.unreached, 2);
    hst_heap_merged_release(&merged);
}

static void test_cycles(void **state)
{
    struct answers *answers = *state;
    struct hst_heap_cycles cycles;
    assert_int_equal(hst_heap_cycles_init(&cycles, &answers->view, 10), HST_OK);
    assert_int_equal(cycles.groups, 3);
    assert_int_equal(cycles.garbage_groups, 2);
    assert_int_equal(cycles.garbage_bytes, 200);
    assert_int_equal(cycles.count, 2);
    const struct hst_heap_cycle_row *row = &cycles.rows[0];
    assert_true(row->garbage);
    assert_int_equal(row->groups, 2);
    assert_int_equal(row->bytes, 200);
    assert_int_equal(row->type_count, 2);
    assert_string_equal(hst_heap_type_name(answers->view.heap, row->types[0]), "app.Leaf");
    assert_int_equal(row->edge_count, 2);
    assert_int_not_equal(row->breaker, HST_HEAP_NONE);
    assert_false(cycles.rows[1].garbage);
    assert_true(cycles.rows[1].example == answers->parent || cycles.rows[1].example == answers->child);
    hst_heap_cycles_release(&cycles);
}

/* The same program with `more` rows and without the first so many. */
static void make_state(struct small *small, uint32_t begin_at, uint32_t end_at, uint32_t *ret_rows)
{
    small_init(small);
    uint32_t app = small_module(small, "app");
    *ret_rows = small_object(small, "list", 800);
    small_entry(small, app, "ROWS", *ret_rows);
    for (uint32_t i = 0; i < end_at; i++) {
        if (i < begin_at) {
            small->next_address += 64;
            continue;
        }
        small_item(small, *ret_rows, i, small_object(small, "app.Row", 100));
    }
    (void)small_finish(small);
}

static void test_differences(void **state)
{
    (void)state;
    struct small before, after;
    struct hst_heap_view view;
    struct hst_heap_compare compare;
    uint32_t rows;
    make_state(&before, 0, 50, &rows);
    make_state(&after, 10, 90, &rows);
    assert_int_equal(hst_heap_view_init(&view, &after.heap, NULL), HST_OK);
    assert_int_equal(hst_heap_compare_init(&compare, &before.heap, &view), HST_OK);
    assert_int_equal(compare.change_count, 1);
    assert_string_equal(compare.changes[0].type, "app.Row");
    assert_int_equal(compare.changes[0].new_objects, 40);
    assert_int_equal(compare.changes[0].gone_objects, 10);
    assert_int_equal(compare.changes[0].bytes_after - compare.changes[0].bytes_before, 3000);
    assert_int_equal(compare.holder_count, 1);
    assert_int_equal(compare.holders[0].holder, rows);
    assert_int_equal(compare.holders[0].objects, 40);
    assert_int_equal(compare.holders[0].retained, 4000);
    hst_heap_compare_release(&compare);
    hst_heap_view_release(&view);
    small_release(&before);
    small_release(&after);
}

/* The first cell of the only row. */
static int64_t asked(struct answers *answers, const char *sql)
{
    struct hst_heap_query *query;
    struct hst_error err = {0};
    int row = 0;
    if (hst_heap_query_new(&answers->view, sql, &query, &err) != HST_OK)
        fail_msg("%s", err.text);
    assert_int_equal(hst_heap_query_step(query, &row, &err), HST_OK);
    assert_true(row);
    int64_t value = hst_heap_query_cell(query, 0).integer;
    assert_int_equal(hst_heap_query_step(query, &row, &err), HST_OK);
    assert_false(row);
    hst_heap_query_free(query);
    return value;
}

static void test_queries(void **state)
{
    struct answers *answers = *state;
    const struct hst_heap *heap = answers->view.heap;
    char sql[256];
    assert_int_equal(asked(answers, "select count(*) from object"), (int64_t)heap->count);
    assert_int_equal(asked(answers, "select sum(bytes) from object where type = 'app.Row'"), 15000);
    assert_int_equal(asked(answers, "select count(*) from reference"), (int64_t)heap->first[heap->count]);
    assert_int_equal(
        asked(answers, "select sum(source * 31 + target) from reference"),
        asked(answers, "select sum(r.source * 31 + r.target) from object o join reference r on r.source = "
                       "o.id"));
    assert_int_equal(
        asked(answers, "select sum(source * 31 + target) from reference"),
        asked(answers, "select sum(r.source * 31 + r.target) from object o join reference r on r.target = "
                       "o.id"));
    (void)snprintf(sql, sizeof sql, "select retained from object where address = %llu",
                   (unsigned long long)heap->addresses[answers->rows]);
    assert_int_equal(asked(answers, sql), 856 + 100 * 150);
    (void)snprintf(sql, sizeof sql, "select count(*) from reference where target = %u and label = '.row'",
                   answers->shared);
    assert_int_equal(asked(answers, sql), 2);
    assert_int_equal(asked(answers, "select max(depth) from object where type = 'app.Leaf'"), 4);
    assert_int_equal(asked(answers, "select count(*) from object where depth is null"), 4);
    assert_int_equal(asked(answers, "select count(*) from object where id = 'x' or id = -1 or id = 1e9"), 0);
    assert_int_equal(asked(answers, "select count(*) from root where kind = 'module'"), 1);
}

static void test_queries_only_read(void **state)
{
    struct answers *answers = *state;
    static const char *const refused[] = {
        "selec 1", "delete from object", "create table x(y)", "attach 'x' as y",
        "",        "select 1; select 2", "pragma table_list", "select colour from object"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(refused); i++) {
        struct hst_heap_query *query = NULL;
        struct hst_error err = {0};
        assert_int_equal(hst_heap_query_new(&answers->view, refused[i], &query, &err), HST_E_INVALID);
        assert_true(err.text[0] != '\0');
    }
}

static void count_heap(struct hst_heap_counts *counts, const char *const *types, const uint64_t *bytes,
                       size_t count)
{
    struct small small;
    small_init(&small);
    for (size_t i = 0; i < count; i++)
        (void)small_object(&small, types[i], bytes[i]);
    assert_int_equal(hst_heap_counts_init(counts, small_finish(&small)), HST_OK);
    small_release(&small);
}

static void test_what_grew(void **state)
{
    (void)state;
    static const char *const first[] = {"kept", "list", "gone", "fewer", "fewer", "smaller"};
    static const char *const later[] = {"new", "kept", "list", "fewer", "new", "smaller", "smaller"};
    const uint64_t first_bytes[] = {10, 100, 50, 40, 40, 90}, later_bytes[] = {30, 10, 500, 100, 30, 20, 20};
    struct hst_heap_counts before, after;
    struct hst_heap_grown *rows;
    size_t count;
    count_heap(&before, first, first_bytes, HST_ARRAY_LENGTH(first));
    count_heap(&after, later, later_bytes, HST_ARRAY_LENGTH(later));
    assert_int_equal(before.all.objects, 7); /* and sys.modules, in both */
    assert_int_equal(after.all.bytes, 1710);
    assert_int_equal(hst_heap_counts_grown(&before, &after, &rows, &count), HST_OK);
    static const struct {
        const char *type;
        int64_t objects, bytes;
    } wanted[] = {{"list", 0, 400}, {"new", 2, 60}, {"fewer", -1, 20}, {"smaller", 1, -50}};
    assert_int_equal(count, HST_ARRAY_LENGTH(wanted));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(rows[i].type, wanted[i].type);
        assert_int_equal(rows[i].objects, wanted[i].objects);
        assert_int_equal(rows[i].bytes, wanted[i].bytes);
    }
    assert_int_equal(rows[1].now.objects, 2);
    hst_free(rows);
    hst_heap_counts_release(&before);
    hst_heap_counts_release(&after);
}

#define ANSWERS_TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANSWERS_TEST(test_types),
        ANSWERS_TEST(test_top_folds_chains),
        ANSWERS_TEST(test_tree_groups_what_is_alike),
        ANSWERS_TEST(test_referrers),
        ANSWERS_TEST(test_paths_of_a_type_are_merged),
        ANSWERS_TEST(test_cycles),
        ANSWERS_TEST(test_queries),
        ANSWERS_TEST(test_queries_only_read),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_what_grew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
