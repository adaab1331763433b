/* The stack machine, for the operations that build plain data. */
#include "import/pickle.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"

#define TEXT_MAX (1u << 20)
#define VALUES_MAX (1u << 24)
#define NONE HST_PICKLE_NONE

struct reader {
    struct hst_pickle *pickle;
    struct hst_error *err;
    size_t at;      /* the next byte */
    size_t started; /* of the operation that is done */
    uint32_t *stack;
    size_t stack_count, stack_capacity;
    size_t *marks; /* how high the stack was */
    size_t mark_count, mark_capacity;
    struct hst_map memo; /* number -> value */
    int stopped;
};

const char *hst_pickle_kind_name(enum hst_pickle_kind kind)
{
    static const char *const names[] = {
        [HST_PICKLE_INT] = "a whole number", [HST_PICKLE_FLOAT] = "a number",  [HST_PICKLE_TEXT] = "a text",
        [HST_PICKLE_TUPLE] = "a tuple",      [HST_PICKLE_LIST] = "a list",     [HST_PICKLE_DICT] = "a dict",
        [HST_PICKLE_CLASS] = "a class",      [HST_PICKLE_OBJECT] = "an object"};
    return names[kind];
}

HST_PRINTF(3, 4)
static enum hst_status refuse(struct reader *reader, enum hst_status status, const char *fmt, ...)
{
    char what[240];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    (void)hst_error_set(reader->err, status, "%.200s %s: byte %zu: %s", reader->pickle->name,
                        status == HST_E_CORRUPT ? "is damaged, or not of line_profiler" : "is not read",
                        reader->started, what);
    hst_error_hint(reader->err,
                   "hasten reads what `kernprof -l script.py` writes, and executes nothing of it");
    return status;
}
#define DAMAGED(reader, ...) refuse(reader, HST_E_CORRUPT, __VA_ARGS__)

static enum hst_status no_memory(struct reader *reader)
{
    return hst_error_set(reader->err, HST_E_NOMEM, "out of memory while reading %.200s",
                         reader->pickle->name);
}

/* NULL, with the error set, when there are not so many left. */
static const uint8_t *take(struct reader *reader, size_t length)
{
    if (length > reader->pickle->length - reader->at) {
        (void)DAMAGED(reader, "the file ends in the middle of it");
        return NULL;
    }
    reader->at += length;
    return reader->pickle->data + reader->at - length;
}

/* 0 with the error set (its status is not HST_OK) when the file ends. */
static int take_number(struct reader *reader, unsigned bytes, uint64_t *ret_number)
{
    const uint8_t *at = take(reader, bytes);
    if (at == NULL)
        return 0;
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number |= (uint64_t)at[i] << 8 * i;
    *ret_number = number;
    return 1;
}

/* --- stack --- */

static enum hst_status push(struct reader *reader, uint32_t value)
{
    if (!HST_RESERVE(reader->stack, reader->stack_capacity, reader->stack_count + 1))
        return no_memory(reader);
    reader->stack[reader->stack_count++] = value;
    return HST_OK;
}

static enum hst_status push_new(struct reader *reader, struct hst_pickle_value value)
{
    struct hst_pickle *pickle = reader->pickle;
    if (pickle->value_count >= VALUES_MAX)
        return DAMAGED(reader, "more values than any profile has");
    if (!HST_RESERVE(pickle->values, pickle->value_capacity, pickle->value_count + 1))
        return no_memory(reader);
    value.position = reader->started;
    pickle->values[pickle->value_count] = value;
    return push(reader, (uint32_t)pickle->value_count++);
}

/* How many values stand above the last mark. */
static size_t above_mark(const struct reader *reader)
{
    return reader->stack_count - (reader->mark_count > 0 ? reader->marks[reader->mark_count - 1] : 0);
}

static enum hst_status need(struct reader *reader, size_t values)
{
    return above_mark(reader) >= values ? HST_OK : DAMAGED(reader, "it needs values that are not there");
}

static struct hst_pickle_value *top(struct reader *reader, size_t below)
{
    return &reader->pickle->values[reader->stack[reader->stack_count - 1 - below]];
}

static enum hst_status pop_mark(struct reader *reader, size_t *ret_values)
{
    if (reader->mark_count == 0)
        return DAMAGED(reader, "it needs a mark that is not there");
    *ret_values = above_mark(reader);
    reader->mark_count--;
    return HST_OK;
}

/* --- containers --- */

static enum hst_status add_item(struct reader *reader, struct hst_pickle_value *container, uint32_t value)
{
    struct hst_pickle *pickle = reader->pickle;
    if (pickle->item_count >= VALUES_MAX)
        return DAMAGED(reader, "more values than any profile has");
    if (!HST_RESERVE(pickle->items, pickle->item_capacity, pickle->item_count + 1))
        return no_memory(reader);
    uint32_t item = (uint32_t)pickle->item_count++;
    pickle->items[item] = (struct hst_pickle_item){.value = value, .next = NONE};
    if (container->count++ == 0)
        container->first = item;
    else
        pickle->items[container->last].next = item;
    container->last = item;
    return HST_OK;
}

/* The last count values leave the stack for the container below them. */
static enum hst_status add_items(struct reader *reader, size_t count, enum hst_pickle_kind kind)
{
    if (kind == HST_PICKLE_DICT && count % 2 != 0)
        return DAMAGED(reader, "a key without a value");
    HST_TRY(need(reader, count + 1));
    struct hst_pickle_value *container = top(reader, count);
    if (container->kind != kind)
        return DAMAGED(reader, "it adds to %s", hst_pickle_kind_name(container->kind));
    for (size_t i = reader->stack_count - count; i < reader->stack_count; i++)
        HST_TRY(add_item(reader, container, reader->stack[i]));
    reader->stack_count -= count;
    return HST_OK;
}

static enum hst_status make_tuple(struct reader *reader, size_t count)
{
    struct hst_pickle_value tuple = {.kind = HST_PICKLE_TUPLE, .first = NONE, .last = NONE};
    HST_TRY(need(reader, count));
    for (size_t i = reader->stack_count - count; i < reader->stack_count; i++)
        HST_TRY(add_item(reader, &tuple, reader->stack[i]));
    reader->stack_count -= count;
    return push_new(reader, tuple);
}

static enum hst_status since_mark(struct reader *reader, uint8_t operation)
{
    size_t count = 0;
    HST_TRY(pop_mark(reader, &count));
    if (operation == 't')
        return make_tuple(reader, count);
    return add_items(reader, count, operation == 'e' ? HST_PICKLE_LIST : HST_PICKLE_DICT);
}

/* --- values --- */

static enum hst_status push_int(struct reader *reader, int64_t number)
{
    return push_new(reader, (struct hst_pickle_value){.kind = HST_PICKLE_INT, .number = number});
}

static enum hst_status push_fixed_int(struct reader *reader, unsigned bytes)
{
    uint64_t number;
    if (!take_number(reader, bytes, &number))
        return HST_E_CORRUPT;
    return push_int(reader, bytes == 4 ? (int32_t)(uint32_t)number : (int64_t)number);
}

static enum hst_status push_long(struct reader *reader)
{
    uint64_t bytes, number = 0;
    if (!take_number(reader, 1, &bytes))
        return HST_E_CORRUPT;
    if (bytes > 8)
        return DAMAGED(reader, "a whole number that is too large");
    if (!take_number(reader, (unsigned)bytes, &number))
        return HST_E_CORRUPT;
    if (bytes > 0 && bytes < 8 && (number >> (8 * bytes - 1) & 1) != 0)
        number |= UINT64_MAX << 8 * bytes;
    return push_int(reader, (int64_t)number);
}

static enum hst_status push_double(struct reader *reader)
{
    struct hst_pickle_value value = {.kind = HST_PICKLE_FLOAT};
    uint64_t bits;
    if (!take_number(reader, 8, &bits))
        return HST_E_CORRUPT;
    bits = __builtin_bswap64(bits);
    memcpy(&value.real, &bits, sizeof value.real);
    if (!isfinite(value.real))
        return DAMAGED(reader, "a number that is not finite");
    return push_new(reader, value);
}

static enum hst_status push_text(struct reader *reader, unsigned length_bytes)
{
    uint64_t length;
    if (!take_number(reader, length_bytes, &length))
        return HST_E_CORRUPT;
    if (length > TEXT_MAX)
        return DAMAGED(reader, "a text of %llu bytes", (unsigned long long)length);
    const uint8_t *text = take(reader, (size_t)length);
    if (text == NULL)
        return HST_E_CORRUPT;
    return push_new(reader, (struct hst_pickle_value){.kind = HST_PICKLE_TEXT,
                                                      .count = (uint32_t)length,
                                                      .text = (const char *)text});
}

static enum hst_status push_empty(struct reader *reader, enum hst_pickle_kind kind)
{
    return push_new(reader, (struct hst_pickle_value){.kind = kind, .first = NONE, .last = NONE});
}

/* --- memory --- */

static enum hst_status put(struct reader *reader, uint64_t number)
{
    HST_TRY(need(reader, 1));
    return hst_map_set(&reader->memo, number, reader->stack[reader->stack_count - 1]) ? HST_OK
                                                                                      : no_memory(reader);
}

static enum hst_status use_memo(struct reader *reader, unsigned bytes, int is_put)
{
    uint64_t number;
    if (!take_number(reader, bytes, &number))
        return HST_E_CORRUPT;
    if (is_put)
        return put(reader, number);
    uint32_t value = hst_map_find(&reader->memo, number);
    if (value == HST_MAP_ABSENT)
        return DAMAGED(reader, "value %llu was not remembered", (unsigned long long)number);
    return push(reader, value);
}

/* --- classes --- */

static int is_text(const char *text, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

static enum hst_status push_class(struct reader *reader, const char *module, size_t module_length,
                                  const char *name, size_t name_length)
{
    if ((is_text(module, module_length, "line_profiler.line_profiler") ||
         is_text(module, module_length, "line_profiler._line_profiler")) &&
        is_text(name, name_length, "LineStats"))
        return push_new(reader, (struct hst_pickle_value){.kind = HST_PICKLE_CLASS});
    char both[120];
    (void)snprintf(both, sizeof both, "%.*s.%.*s", (int)(module_length < 50 ? module_length : 50), module,
                   (int)(name_length < 50 ? name_length : 50), name);
    for (char *c = both; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
            *c = '?';
    return refuse(reader, HST_E_INVALID,
                  "it wants the class %s, where only LineStats of line_profiler is read", both);
}

static const char *take_line(struct reader *reader, size_t *ret_length)
{
    const uint8_t *start = reader->pickle->data + reader->at;
    const uint8_t *end = memchr(start, '\n', reader->pickle->length - reader->at);
    if (end == NULL) {
        (void)DAMAGED(reader, "the file ends in the middle of it");
        return NULL;
    }
    *ret_length = (size_t)(end - start);
    reader->at += *ret_length + 1;
    return (const char *)start;
}

static enum hst_status global(struct reader *reader)
{
    size_t module_length, name_length;
    const char *module = take_line(reader, &module_length);
    const char *name = module != NULL ? take_line(reader, &name_length) : NULL;
    if (module == NULL || name == NULL)
        return HST_E_CORRUPT;
    return push_class(reader, module, module_length, name, name_length);
}

static enum hst_status stack_global(struct reader *reader)
{
    HST_TRY(need(reader, 2));
    const struct hst_pickle_value module = *top(reader, 1), name = *top(reader, 0);
    if (module.kind != HST_PICKLE_TEXT || name.kind != HST_PICKLE_TEXT)
        return DAMAGED(reader, "a class whose name is no text");
    reader->stack_count -= 2;
    return push_class(reader, module.text, module.count, name.text, name.count);
}

static enum hst_status new_object(struct reader *reader)
{
    HST_TRY(need(reader, 2));
    if (top(reader, 1)->kind != HST_PICKLE_CLASS || top(reader, 0)->kind != HST_PICKLE_TUPLE)
        return DAMAGED(reader, "an object of what is no class");
    reader->stack_count -= 2;
    return push_new(reader, (struct hst_pickle_value){.kind = HST_PICKLE_OBJECT, .state = NONE});
}

static enum hst_status build(struct reader *reader)
{
    HST_TRY(need(reader, 2));
    struct hst_pickle_value *object = top(reader, 1);
    if (object->kind != HST_PICKLE_OBJECT || object->state != NONE)
        return DAMAGED(reader, "a state for what is no new object");
    reader->stack_count--;
    object->state = reader->stack[reader->stack_count];
    return HST_OK;
}

/* --- the program --- */

static enum hst_status mark(struct reader *reader)
{
    if (!HST_RESERVE(reader->marks, reader->mark_capacity, reader->mark_count + 1))
        return no_memory(reader);
    reader->marks[reader->mark_count++] = reader->stack_count;
    return HST_OK;
}

static enum hst_status header(struct reader *reader, unsigned bytes)
{
    uint64_t number;
    if (!take_number(reader, bytes, &number))
        return HST_E_CORRUPT;
    if (bytes == 1 && (number < 2 || number > 5))
        return DAMAGED(reader, "protocol %llu, where 2 to 5 are read", (unsigned long long)number);
    if (bytes == 8 && number > reader->pickle->length - reader->at)
        return DAMAGED(reader, "a frame that is longer than the file");
    return HST_OK;
}

static enum hst_status stop(struct reader *reader)
{
    if (reader->stack_count != 1 || reader->mark_count != 0)
        return DAMAGED(reader, "the end, with %zu values left", reader->stack_count);
    if (reader->at != reader->pickle->length)
        return DAMAGED(reader, "the profile ends here, and the file goes on");
    reader->pickle->root = reader->stack[0];
    reader->stopped = 1;
    return HST_OK;
}

static enum hst_status build_value(struct reader *reader, uint8_t operation)
{
    switch (operation) {
    case 'J':
        return push_fixed_int(reader, 4);
    case 'M':
        return push_fixed_int(reader, 2);
    case 'K':
        return push_fixed_int(reader, 1);
    case 0x8a:
        return push_long(reader);
    case 'G':
        return push_double(reader);
    case 'X':
        return push_text(reader, 4);
    case 0x8c:
        return push_text(reader, 1);
    case ')':
        return push_empty(reader, HST_PICKLE_TUPLE);
    case ']':
        return push_empty(reader, HST_PICKLE_LIST);
    case '}':
        return push_empty(reader, HST_PICKLE_DICT);
    case 'c':
        return global(reader);
    default:
        return refuse(reader, HST_E_INVALID, "operation 0x%02x, which does more than a profile needs",
                      operation);
    }
}

static enum hst_status step(struct reader *reader, uint8_t operation)
{
    switch (operation) {
    case 0x80:
        return header(reader, 1);
    case 0x95:
        return header(reader, 8);
    case 0x85:
    case 0x86:
    case 0x87:
        return make_tuple(reader, operation - 0x84u);
    case 'a':
        return add_items(reader, 1, HST_PICKLE_LIST);
    case 's':
        return add_items(reader, 2, HST_PICKLE_DICT);
    case 't':
    case 'e':
    case 'u':
        return since_mark(reader, operation);
    case '(':
        return mark(reader);
    case 0x94:
        return put(reader, reader->memo.count);
    case 'q':
    case 'h':
        return use_memo(reader, 1, operation == 'q');
    case 'r':
    case 'j':
        return use_memo(reader, 4, operation == 'r');
    case 0x93:
        return stack_global(reader);
    case 0x81:
        return new_object(reader);
    case 'b':
        return build(reader);
    case '.':
        return stop(reader);
    default:
        return build_value(reader, operation);
    }
}

enum hst_status hst_pickle_read(struct hst_pickle *pickle, const char *name, const uint8_t *data,
                                size_t length, struct hst_error *err)
{
    *pickle = (struct hst_pickle){.name = name, .data = data, .length = length};
    struct reader reader = {.pickle = pickle, .err = err};
    enum hst_status status = HST_OK;
    if (!hst_pickle_begins(data, length))
        status = DAMAGED(&reader, "it does not begin as a pickle of protocol 2 to 5");
    while (status == HST_OK && !reader.stopped) {
        reader.started = reader.at;
        const uint8_t *operation = take(&reader, 1);
        status = operation != NULL ? step(&reader, *operation) : HST_E_CORRUPT;
    }
    hst_free(reader.stack);
    hst_free(reader.marks);
    hst_map_release(&reader.memo);
    if (status != HST_OK)
        hst_pickle_release(pickle);
    return status;
}

void hst_pickle_release(struct hst_pickle *pickle)
{
    hst_free(pickle->values);
    hst_free(pickle->items);
    *pickle = (struct hst_pickle){0};
}
