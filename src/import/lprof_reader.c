/* Walks the object by its known shape. */
#include "import/lprof_reader.h"

#include <string.h>

#include "base/map.h"
#include "import/pickle.h"

#define NS_MAX 9.2e18 /* what 63 bits hold */

struct reader {
    struct hst_pickle pickle;
    struct hst_profile *profile;
    struct hst_lines *lines;
    double ns_per_tick;
    size_t row_count;
    struct hst_map functions; /* those that were there */
    struct hst_error *err;
};

static enum hst_status not_so(struct reader *reader, const struct hst_pickle_value *value, const char *what)
{
    (void)hst_error_set(reader->err, HST_E_INVALID, "%.200s is no profile of line_profiler: byte %zu: %s",
                        reader->pickle.name, value->position, what);
    hst_error_hint(reader->err, "such a profile is what `kernprof -l script.py` writes");
    return HST_E_INVALID;
}

static enum hst_status not_a(struct reader *reader, const struct hst_pickle_value *value, const char *wanted)
{
    (void)hst_error_set(reader->err, HST_E_INVALID,
                        "%.200s is no profile of line_profiler: byte %zu: %s, not %s", reader->pickle.name,
                        value->position, hst_pickle_kind_name(value->kind), wanted);
    hst_error_hint(reader->err, "such a profile is what `kernprof -l script.py` writes");
    return HST_E_INVALID;
}

static enum hst_status no_memory(struct reader *reader)
{
    return hst_error_set(reader->err, HST_E_NOMEM, "out of memory while reading %.200s", reader->pickle.name);
}

/* The values of a tuple of that many. */
static enum hst_status take_tuple(struct reader *reader, const struct hst_pickle_value *tuple, uint32_t count,
                                  const char *wanted, const struct hst_pickle_value **ret_values)
{
    if (tuple->kind != HST_PICKLE_TUPLE || tuple->count != count)
        return not_a(reader, tuple, wanted);
    uint32_t at = tuple->first;
    for (uint32_t i = 0; i < count; i++, at = reader->pickle.items[at].next)
        ret_values[i] = &reader->pickle.values[reader->pickle.items[at].value];
    return HST_OK;
}

static enum hst_status take_line(struct reader *reader, const struct hst_pickle_value *value,
                                 uint32_t *ret_line)
{
    if (value->kind != HST_PICKLE_INT)
        return not_a(reader, value, "the number of a line");
    if (value->number < 0 || value->number > INT32_MAX)
        return not_so(reader, value, "a line that no file has");
    *ret_line = (uint32_t)value->number;
    return HST_OK;
}

/* Ticks are whole numbers, except where profiles were added up. */
static enum hst_status take_time(struct reader *reader, const struct hst_pickle_value *value,
                                 uint64_t *ret_ns)
{
    if (value->kind != HST_PICKLE_INT && value->kind != HST_PICKLE_FLOAT)
        return not_a(reader, value, "a time");
    double ticks = value->kind == HST_PICKLE_INT ? (double)value->number : value->real;
    double ns = ticks * reader->ns_per_tick;
    if (!(ns > -NS_MAX && ns < NS_MAX))
        return not_so(reader, value, "a time of centuries");
    if (ticks <= 0)
        *ret_ns = 0;
    else if (value->kind == HST_PICKLE_INT && reader->ns_per_tick > 1 - 1e-9 &&
             reader->ns_per_tick < 1 + 1e-9)
        *ret_ns = (uint64_t)value->number;
    else
        *ret_ns = (uint64_t)(ns + 0.5);
    return HST_OK;
}

static enum hst_status add_row(struct reader *reader, uint32_t function, const struct hst_pickle_value *value)
{
    const struct hst_pickle_value *parts[3];
    uint32_t line = 0;
    uint64_t ns = 0;
    HST_TRY(take_tuple(reader, value, 3, "the three parts of a line: number, hits, time", parts));
    HST_TRY(take_line(reader, parts[0], &line));
    if (parts[1]->kind != HST_PICKLE_INT)
        return not_a(reader, parts[1], "a number of hits");
    if (parts[1]->number < 0)
        return not_so(reader, parts[1], "a negative number of hits");
    HST_TRY(take_time(reader, parts[2], &ns));
    /* A list that is there by reference many times could hold more lines than the file has bytes. */
    if (reader->row_count++ >= reader->pickle.length)
        return not_so(reader, value, "more lines than the file has room for");
    struct hst_line_row *row = hst_lines_row(reader->lines, function, line);
    if (row == NULL)
        return no_memory(reader);
    if (__builtin_add_overflow(row->hits, (uint64_t)parts[1]->number, &row->hits) || row->hits > INT64_MAX ||
        __builtin_add_overflow(row->total_ns, ns, &row->total_ns) || row->total_ns > INT64_MAX)
        return not_so(reader, value, "more hits or time than there can be");
    row->raw_ns = row->self_ns = row->total_ns;
    return HST_OK;
}

static enum hst_status take_function(struct reader *reader, const struct hst_pickle_value *key,
                                     uint32_t *ret_function)
{
    const struct hst_pickle_value *parts[3];
    struct hst_function function = {0};
    HST_TRY(take_tuple(reader, key, 3, "the three parts of a function: file, line, name", parts));
    if (parts[0]->kind != HST_PICKLE_TEXT)
        return not_a(reader, parts[0], "the file of a function");
    HST_TRY(take_line(reader, parts[1], &function.first_line));
    if (parts[2]->kind != HST_PICKLE_TEXT)
        return not_a(reader, parts[2], "the name of a function");
    struct hst_strings *strings = &reader->profile->strings;
    const char *dot = memrchr(parts[2]->text, '.', parts[2]->count);
    const char *name = dot != NULL ? dot + 1 : parts[2]->text;
    function.file = hst_strings_add(strings, parts[0]->text, parts[0]->count);
    function.qualname = hst_strings_add(strings, parts[2]->text, parts[2]->count);
    function.name = hst_strings_add(strings, name, (size_t)(parts[2]->text + parts[2]->count - name));
    if (function.file == HST_ID_NONE || function.qualname == HST_ID_NONE || function.name == HST_ID_NONE)
        return no_memory(reader);
    *ret_function = hst_profile_function(reader->profile, &function);
    if (*ret_function == HST_ID_NONE)
        return no_memory(reader);
    if (hst_map_find(&reader->functions, *ret_function) != HST_MAP_ABSENT)
        return not_so(reader, key, "a function that was there already");
    return hst_map_set(&reader->functions, *ret_function, 0) ? HST_OK : no_memory(reader);
}

static enum hst_status read_timings(struct reader *reader, const struct hst_pickle_value *timings)
{
    const struct hst_pickle *pickle = &reader->pickle;
    if (timings->kind != HST_PICKLE_DICT)
        return not_a(reader, timings, "a table of functions");
    uint32_t at = timings->first;
    for (uint32_t i = 0; i < timings->count; i += 2) {
        const struct hst_pickle_value *key = &pickle->values[pickle->items[at].value];
        at = pickle->items[at].next;
        const struct hst_pickle_value *rows = &pickle->values[pickle->items[at].value];
        at = pickle->items[at].next;
        uint32_t function = HST_ID_NONE;
        HST_TRY(take_function(reader, key, &function));
        if (rows->kind != HST_PICKLE_LIST)
            return not_a(reader, rows, "the lines of a function");
        uint32_t row = rows->first;
        for (uint32_t k = 0; k < rows->count; k++, row = pickle->items[row].next)
            HST_TRY(add_row(reader, function, &pickle->values[pickle->items[row].value]));
    }
    return HST_OK;
}

static enum hst_status take_unit(struct reader *reader, const struct hst_pickle_value *unit)
{
    if (unit->kind != HST_PICKLE_FLOAT && unit->kind != HST_PICKLE_INT)
        return not_a(reader, unit, "the seconds of a tick");
    double seconds = unit->kind == HST_PICKLE_INT ? (double)unit->number : unit->real;
    if (!(seconds > 0 && seconds < 1e9))
        return not_so(reader, unit, "a tick that is no time");
    reader->ns_per_tick = seconds * 1e9;
    return HST_OK;
}

/* Keys of later versions are passed over. */
static enum hst_status read_object(struct reader *reader)
{
    const struct hst_pickle *pickle = &reader->pickle;
    const struct hst_pickle_value *object = &pickle->values[pickle->root], *timings = NULL, *unit = NULL;
    if (object->kind != HST_PICKLE_OBJECT || object->state == HST_PICKLE_NONE)
        return not_a(reader, object, "an object LineStats with its state");
    const struct hst_pickle_value *state = &pickle->values[object->state];
    if (state->kind != HST_PICKLE_DICT)
        return not_a(reader, state, "the state of LineStats");
    uint32_t at = state->first;
    for (uint32_t i = 0; i < state->count; i += 2) {
        const struct hst_pickle_value *key = &pickle->values[pickle->items[at].value];
        at = pickle->items[at].next;
        const struct hst_pickle_value *value = &pickle->values[pickle->items[at].value];
        at = pickle->items[at].next;
        if (key->kind != HST_PICKLE_TEXT)
            return not_a(reader, key, "a key of the state");
        if (key->count == strlen("timings") && memcmp(key->text, "timings", key->count) == 0)
            timings = value;
        else if (key->count == strlen("unit") && memcmp(key->text, "unit", key->count) == 0)
            unit = value;
    }
    if (timings == NULL || unit == NULL)
        return not_so(reader, state, "a state without timings or unit");
    HST_TRY(take_unit(reader, unit));
    return read_timings(reader, timings);
}

enum hst_status hst_lprof_read(const char *name, const uint8_t *data, size_t length,
                               struct hst_profile *profile, struct hst_lines *lines, struct hst_error *err)
{
    struct reader reader = {.profile = profile, .lines = lines, .err = err};
    HST_TRY(hst_pickle_read(&reader.pickle, name, data, length, err));
    enum hst_status status = read_object(&reader);
    hst_pickle_release(&reader.pickle);
    hst_map_release(&reader.functions);
    return status;
}
