/* Walks the dict by its known shape. */
#include "import/pstats_reader.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "import/marshal.h"

#define SECONDS_MAX 9.2e9 /* what 63 bits of nanoseconds hold */

struct reader {
    struct hst_marshal marshal;
    struct hst_profile *profile;
    struct hst_imported *imported;
    uint32_t *function_of; /* value of a key -> its function */
    struct hst_map rows, edges;
    struct hst_error *err;
};

static const struct hst_marshal_value *item(const struct reader *reader, const struct hst_marshal_value *of,
                                            uint32_t index)
{
    return &reader->marshal.values[reader->marshal.items[of->first + index]];
}

static enum hst_status not_a_profile(struct reader *reader, const struct hst_marshal_value *value,
                                     const char *what)
{
    (void)hst_error_set(reader->err, HST_E_INVALID, "%.200s is no profile of cProfile: byte %zu: %s, not %s",
                        reader->marshal.name, value->position, hst_marshal_kind_name(value->kind), what);
    hst_error_hint(reader->err, "a profile is what `python -m cProfile -o FILE script.py` writes");
    return HST_E_INVALID;
}

static enum hst_status not_so(struct reader *reader, const struct hst_marshal_value *value, const char *what)
{
    (void)hst_error_set(reader->err, HST_E_INVALID, "%.200s is no profile of cProfile: byte %zu: %s",
                        reader->marshal.name, value->position, what);
    hst_error_hint(reader->err, "a profile is what `python -m cProfile -o FILE script.py` writes");
    return HST_E_INVALID;
}

static enum hst_status no_memory(struct reader *reader)
{
    return hst_error_set(reader->err, HST_E_NOMEM, "out of memory while reading %.200s",
                         reader->marshal.name);
}

static enum hst_status take_count(struct reader *reader, const struct hst_marshal_value *value,
                                  uint64_t *ret_count)
{
    if (value->kind != HST_MARSHAL_INT)
        return not_a_profile(reader, value, "a number of calls");
    if (value->number < 0)
        return not_so(reader, value, "a negative number of calls");
    *ret_count = (uint64_t)value->number;
    return HST_OK;
}

/* Clocks that were set back, and the calibration of `profile`, make times below nothing. */
static enum hst_status take_time(struct reader *reader, const struct hst_marshal_value *value,
                                 uint64_t *ret_ns)
{
    double seconds;
    if (value->kind == HST_MARSHAL_FLOAT)
        seconds = value->real;
    else if (value->kind == HST_MARSHAL_INT)
        seconds = (double)value->number;
    else
        return not_a_profile(reader, value, "a time");
    if (!(seconds > -SECONDS_MAX && seconds < SECONDS_MAX))
        return not_so(reader, value, "a time of centuries");
    *ret_ns = seconds > 0 ? (uint64_t)(seconds * 1e9 + 0.5) : 0;
    return HST_OK;
}

/* Some tools write nc and cc the other way round; fewer calls than those from outside there cannot be. */
static void set_calls(struct hst_call_sum *sum, uint64_t a, uint64_t b)
{
    sum->calls = a > b ? a : b;
    sum->primitive = a > b ? b : a;
}

static enum hst_status take_sum(struct reader *reader, const struct hst_marshal_value *value,
                                struct hst_call_sum *ret_sum)
{
    struct hst_call_sum sum = {0};
    uint64_t first = 0, second = 0;
    HST_TRY(take_count(reader, item(reader, value, 0), &first));
    HST_TRY(take_count(reader, item(reader, value, 1), &second));
    HST_TRY(take_time(reader, item(reader, value, 2), &sum.self_ns));
    HST_TRY(take_time(reader, item(reader, value, 3), &sum.total_ns));
    set_calls(&sum, first, second);
    sum.raw_self_ns = sum.self_ns;
    sum.raw_total_ns = sum.total_ns;
    *ret_sum = sum;
    return HST_OK;
}

/* The function that a key names; a key that is there many times is read once. */
static enum hst_status take_key(struct reader *reader, uint32_t index, uint32_t *ret_function)
{
    const struct hst_marshal_value *key = &reader->marshal.values[index];
    if (reader->function_of[index] != HST_ID_NONE) {
        *ret_function = reader->function_of[index];
        return HST_OK;
    }
    if (key->kind != HST_MARSHAL_TUPLE || key->count != 3)
        return not_a_profile(reader, key, "the three parts of a function: file, line, name");
    const struct hst_marshal_value *file = item(reader, key, 0), *line = item(reader, key, 1),
                                   *name = item(reader, key, 2);
    if (file->kind != HST_MARSHAL_TEXT)
        return not_a_profile(reader, file, "the file of a function");
    if (line->kind != HST_MARSHAL_INT)
        return not_a_profile(reader, line, "the line of a function");
    if (line->number < 0 || line->number > INT32_MAX)
        return not_so(reader, line, "a line that no file has");
    if (name->kind != HST_MARSHAL_TEXT)
        return not_a_profile(reader, name, "the name of a function");
    struct hst_strings *strings = &reader->profile->strings;
    struct hst_function function = {.name = hst_strings_add(strings, name->text, name->count),
                                    .file = hst_strings_add(strings, file->text, file->count),
                                    .first_line = (uint32_t)line->number};
    function.qualname = function.name;
    if (function.name == HST_ID_NONE || function.file == HST_ID_NONE)
        return no_memory(reader);
    *ret_function = reader->function_of[index] = hst_profile_function(reader->profile, &function);
    return *ret_function != HST_ID_NONE ? HST_OK : no_memory(reader);
}

static enum hst_status add_edge(struct reader *reader, uint32_t callee, uint32_t key_index,
                                const struct hst_marshal_value *value)
{
    struct hst_call_totals *totals = &reader->imported->totals;
    struct hst_call_edge edge = {.callee = callee};
    const struct hst_marshal_value *key = &reader->marshal.values[key_index];
    HST_TRY(take_key(reader, key_index, &edge.caller));
    if (value->kind == HST_MARSHAL_INT) { /* of `profile` */
        HST_TRY(take_count(reader, value, &edge.sum.calls));
        edge.sum.primitive = edge.sum.calls;
        reader->imported->edges_timed = 0;
    } else if (value->kind == HST_MARSHAL_TUPLE && value->count == 4) {
        HST_TRY(take_sum(reader, value, &edge.sum));
    } else {
        return not_a_profile(reader, value, "the calls of a caller");
    }
    uint64_t pair = (uint64_t)edge.caller << 32 | callee;
    if (hst_map_find(&reader->edges, pair) != HST_MAP_ABSENT)
        return not_so(reader, key, "a caller that was there already");
    /* A dict that is there by reference many times could hold more callers than the file has bytes. */
    if (totals->edge_count >= reader->marshal.length)
        return not_so(reader, key, "more callers than the file has room for");
    if (!hst_map_set(&reader->edges, pair, (uint32_t)totals->edge_count) ||
        !HST_RESERVE(totals->edges, totals->edge_capacity, totals->edge_count + 1))
        return no_memory(reader);
    totals->edges[totals->edge_count++] = edge;
    return HST_OK;
}

static int add_checked(uint64_t *sum, uint64_t value)
{
    return !__builtin_add_overflow(*sum, value, sum) && *sum <= INT64_MAX;
}

static enum hst_status add_function(struct reader *reader, uint32_t key_index,
                                    const struct hst_marshal_value *value)
{
    struct hst_call_totals *totals = &reader->imported->totals;
    struct hst_call_function row;
    const struct hst_marshal_value *key = &reader->marshal.values[key_index];
    HST_TRY(take_key(reader, key_index, &row.function));
    if (value->kind != HST_MARSHAL_TUPLE || value->count != 5)
        return not_a_profile(reader, value, "the five parts of a function's calls");
    HST_TRY(take_sum(reader, value, &row.sum));
    const struct hst_marshal_value *callers = item(reader, value, 4);
    if (callers->kind != HST_MARSHAL_DICT)
        return not_a_profile(reader, callers, "the callers of a function");
    if (hst_map_find(&reader->rows, row.function) != HST_MAP_ABSENT)
        return not_so(reader, key, "a function that was there already");
    if (!hst_map_set(&reader->rows, row.function, (uint32_t)totals->function_count) ||
        !HST_RESERVE(totals->functions, totals->function_capacity, totals->function_count + 1))
        return no_memory(reader);
    totals->functions[totals->function_count++] = row;
    struct hst_call_sum *all = &totals->all;
    if (!add_checked(&all->calls, row.sum.calls) || !add_checked(&all->primitive, row.sum.primitive) ||
        !add_checked(&all->self_ns, row.sum.self_ns))
        return not_so(reader, value, "more calls or time than there can be");
    for (uint32_t i = 0; i < callers->count; i += 2)
        HST_TRY(add_edge(reader, row.function, reader->marshal.items[callers->first + i],
                         item(reader, callers, i + 1)));
    return HST_OK;
}

static enum hst_status read_all(struct reader *reader)
{
    const struct hst_marshal_value *root = &reader->marshal.values[reader->marshal.root];
    if (root->kind != HST_MARSHAL_DICT)
        return not_a_profile(reader, root, "a table of functions");
    size_t size = reader->marshal.value_count * sizeof *reader->function_of;
    reader->function_of = hst_alloc(reader->marshal.value_count, sizeof *reader->function_of);
    if (reader->function_of == NULL)
        return no_memory(reader);
    memset(reader->function_of, 0xff, size);
    for (uint32_t i = 0; i < root->count; i += 2)
        HST_TRY(add_function(reader, reader->marshal.items[root->first + i], item(reader, root, i + 1)));
    struct hst_call_sum *all = &reader->imported->totals.all;
    all->total_ns = all->raw_total_ns = all->raw_self_ns = all->self_ns;
    return HST_OK;
}

enum hst_status hst_pstats_read(const char *name, const uint8_t *data, size_t length,
                                struct hst_profile *profile, struct hst_imported *ret_imported,
                                struct hst_error *err)
{
    struct hst_imported imported = {.edges_timed = 1};
    struct reader reader = {.profile = profile, .imported = &imported, .err = err};
    HST_TRY(hst_marshal_read(&reader.marshal, name, data, length, err));
    enum hst_status status = read_all(&reader);
    hst_marshal_release(&reader.marshal);
    hst_free(reader.function_of);
    hst_map_release(&reader.rows);
    hst_map_release(&reader.edges);
    if (status != HST_OK) {
        hst_imported_release(&imported);
        return status;
    }
    (void)snprintf(imported.file, sizeof imported.file, "%s", name);
    (void)snprintf(imported.maker, sizeof imported.maker, "%s",
                   imported.edges_timed ? "cProfile" : "profile");
    *ret_imported = imported;
    return HST_OK;
}
