/* What the collector's lists say of a recorded heap and what the census found must agree: as it was recorded,
 * in the middle of a collection, without the C library's blocks, with one object spoilt, and with a list that
 * names a former table.
 *
 * usage: test_heap_collector SNAPSHOT... */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "heap/collector.h"
#include "heap/counts.h"
#include "heap/roots.h"
#include "heap_replay.h"
#include "reader/type_flags.h"
#include "target/snapshot.h"

enum { SNAPSHOTS_MAX = 8, LISTED_LEAST = 4000, LARGE_BYTES = 512 };

static const char *paths[SNAPSHOTS_MAX];
static int path_count;

/* Modules/gcmodule.c: while it subtracts, the word for the object before is a count above two flags. */
#define COUNT_SHIFT 2

static uint64_t *word_of(struct heap_replay *replay, hst_raddr address)
{
    uint8_t *at = (uint8_t *)(uintptr_t)hst_image_at(&replay->image, address, sizeof(uint64_t));
    assert_non_null(at);
    return (uint64_t *)(void *)at;
}

/* What the collector keeps before that object; 0: it does not know it. */
static hst_raddr head_of(const struct heap_replay *replay, const struct hst_object *object)
{
    const struct hst_type_facts *type = &replay->census.types.items[object->type];
    hst_raddr head = object->address - HST_COLLECTOR_HEAD_BYTES;
    int is_static_type = (type->flags & HST_TYPE_TYPE) != 0 &&
                         (hst_image_word(&replay->image, object->address + replay->runtime.abi.type_flags) &
                          HST_TYPE_HEAP) == 0;
    return (type->flags & HST_TYPE_HAVE_GC) != 0 && !is_static_type &&
                   hst_collector_next(&replay->image, head) != 0
               ? head
               : 0;
}

static void open_heap(const char *path, struct hst_snapshot **ret_snapshot, struct heap_replay *ret_replay)
{
    assert_int_equal(hst_snapshot_load(path, ret_snapshot, NULL), HST_OK);
    assert_int_equal(heap_replay_open(0, &(*ret_snapshot)->memory, (*ret_snapshot)->maps,
                                      (*ret_snapshot)->maps_length, ret_replay, NULL),
                     HST_OK);
    assert_int_equal(heap_replay_read(ret_replay), HST_OK);
}

static void for_each_heap(void (*test)(struct heap_replay *replay))
{
    for (int i = 0; i < path_count; i++) {
        struct hst_snapshot *snapshot;
        struct heap_replay replay;
        open_heap(paths[i], &snapshot, &replay);
        test(&replay);
        heap_replay_close(&replay);
        hst_snapshot_free(snapshot);
    }
}

static size_t count_tracked(const struct heap_replay *replay)
{
    size_t tracked = 0;
    for (size_t i = 0; i < replay->census.count; i++)
        tracked += head_of(replay, &replay->census.objects[i]) != 0;
    return tracked;
}

static void read_again(struct heap_replay *replay)
{
    heap_replay_forget(replay);
    assert_int_equal(heap_replay_read(replay), HST_OK);
}

/* --- as recorded --- */

static void check_agreement(struct heap_replay *replay)
{
    const struct hst_listed *listed = &replay->census.listed;
    assert_true(listed->objects > LISTED_LEAST);
    assert_int_equal(listed->objects, count_tracked(replay));
    assert_int_equal(listed->unknown, 0);
    assert_int_equal(listed->alone, 0);
}

static void lists_and_census_agree(void **state)
{
    (void)state;
    for_each_heap(check_agreement);
}

/* --- while it collects --- */

static void check_collection(struct heap_replay *replay)
{
    size_t objects = replay->census.count, listed = replay->census.listed.objects;
    for (size_t i = 0; i < objects; i++) {
        const struct hst_object *object = &replay->census.objects[i];
        hst_raddr head = head_of(replay, object);
        if (head == 0)
            continue;
        uint64_t count = hst_count_read(&replay->runtime.abi,
                                        hst_image_at(&replay->image, object->address, sizeof(uint64_t)));
        *word_of(replay, head + sizeof(uint64_t)) = count << COUNT_SHIFT | HST_COLLECTOR_DECIDES;
    }
    read_again(replay);
    assert_int_equal(replay->census.count, objects);
    assert_true(replay->census.listed.objects >= listed - 3); /* the heads' first ones do not lead back */
    assert_int_equal(replay->census.listed.unknown, 0);
}

static void a_collection_hides_nothing(void **state)
{
    (void)state;
    for_each_heap(check_collection);
}

/* --- blocks of an unknown C library --- */

static void check_closure(struct heap_replay *replay)
{
    const struct hst_chunks none = {0};
    struct hst_census census;
    struct hst_span *spans;
    size_t span_count;
    assert_int_equal(hst_roots_spans(&replay->runtime, &spans, &span_count), HST_OK);
    assert_int_equal(hst_census_take(&replay->image, &replay->runtime.abi, &none, spans, span_count, &census),
                     HST_OK);
    size_t large = 0;
    for (size_t i = 0; i < replay->census.count; i++) {
        const struct hst_object *object = &replay->census.objects[i];
        if (head_of(replay, object) == 0)
            continue;
        large += object->length > LARGE_BYTES;
        assert_int_not_equal(hst_pages_id(&census.pages, object->address), HST_NO_OBJECT);
    }
    assert_true(large > 0);
    assert_true(census.listed.alone > 0);
    hst_free(spans);
    hst_census_release(&census);
}

static void lists_lead_where_blocks_are_unknown(void **state)
{
    (void)state;
    for_each_heap(check_closure);
}

/* --- one that is not read --- */

static void check_missing(struct heap_replay *replay)
{
    size_t objects = replay->census.count, i = objects / 2;
    while (head_of(replay, &replay->census.objects[i]) == 0)
        i++;
    const struct hst_object spoilt = replay->census.objects[i];
    *word_of(replay, spoilt.address + replay->runtime.abi.object_type) = 8;
    read_again(replay);
    assert_int_equal(hst_pages_id(&replay->census.pages, spoilt.address), HST_NO_OBJECT);
    assert_int_equal(replay->census.listed.unknown, 1);
}

static void what_is_missing_is_told(void **state)
{
    (void)state;
    for_each_heap(check_missing);
}

/* --- a list that is just being made of a former one --- */

static void check_former_table(struct heap_replay *replay)
{
    const struct hst_abi *abi = &replay->runtime.abi;
    const struct hst_object *objects = replay->census.objects;
    size_t list = 0, victim = 0;
    while (replay->census.types.items[objects[list].type].layout.shape != HST_SHAPE_LIST ||
           hst_image_word(&replay->image, objects[list].address + abi->list_items) == 0)
        list++;
    while (head_of(replay, &objects[victim]) == 0 || objects[victim].length > LARGE_BYTES || victim == list)
        victim++;
    hst_raddr address = objects[victim].address;
    uint32_t pre = replay->census.types.items[objects[victim].type].pre_bytes;
    *word_of(replay, objects[list].address + abi->list_items) = address - pre;
    read_again(replay);
    assert_int_not_equal(hst_pages_id(&replay->census.pages, address), HST_NO_OBJECT);
    assert_int_equal(replay->census.listed.unknown, 0);
}

static void what_is_listed_is_no_table(void **state)
{
    (void)state;
    for_each_heap(check_former_table);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc && path_count < SNAPSHOTS_MAX; i++)
        paths[path_count++] = argv[i];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_and_census_agree),
        cmocka_unit_test(a_collection_hides_nothing),
        cmocka_unit_test(lists_lead_where_blocks_are_unknown),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(what_is_listed_is_no_table),
    };
    return path_count > 0 ? cmocka_run_group_tests(tests, NULL, NULL) : EXIT_FAILURE;
}
