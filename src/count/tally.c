/* Finds the row by a hash of what names it, and adds. */
#include "count/tally.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

void hst_tally_init(struct hst_tally *tally)
{
    *tally = (struct hst_tally){0};
    hst_map_init(&tally->index);
}

void hst_tally_release(struct hst_tally *tally)
{
    for (size_t i = 0; i < tally->count; i++) {
        struct hst_histogram_moment *histogram = tally->rows[i].histogram;
        hst_free(tally->rows[i].service); /* the others lie behind it */
        for (uint64_t left = histogram != NULL ? histogram->used : 0; left != 0; left &= left - 1)
            hst_free((void *)(uintptr_t)histogram->octaves[__builtin_ctzll(left)]);
        hst_free(histogram);
    }
    hst_free(tally->rows);
    hst_map_release(&tally->index);
}

static int is_row(const struct hst_tally_row *row, const char *service, const struct hst_counter_row *from)
{
    return row->kind == from->kind && row->labels_bytes == from->labels_bytes &&
           row->name_bytes == from->name_bytes && memcmp(row->name, from->name, from->name_bytes) == 0 &&
           memcmp(row->labels, from->labels, from->labels_bytes) == 0 && strcmp(row->service, service) == 0;
}

static char *place(char **at, const char *text, size_t bytes)
{
    char *into = *at;
    memcpy(into, text, bytes);
    into[bytes] = '\0';
    *at += bytes + 1;
    return into;
}

static struct hst_tally_row *make_row(struct hst_tally *tally, const char *service,
                                      const struct hst_counter_row *from, uint64_t key)
{
    size_t service_bytes = strlen(service);
    char *texts = hst_alloc(1, service_bytes + from->name_bytes + from->labels_bytes + from->help_bytes +
                                   from->unit_bytes + 5);
    struct hst_histogram_moment *histogram =
        from->kind == HST_COUNTER_HISTOGRAM ? hst_alloc_zero(1, sizeof *histogram) : NULL;
    if (texts == NULL || (from->kind == HST_COUNTER_HISTOGRAM && histogram == NULL) ||
        !HST_RESERVE(tally->rows, tally->capacity, tally->count + 1) ||
        !hst_map_set(&tally->index, key, (uint32_t)tally->count)) {
        hst_free(texts);
        hst_free(histogram);
        return NULL;
    }
    struct hst_tally_row *row = &tally->rows[tally->count++];
    *row = (struct hst_tally_row){.kind = from->kind,
                                  .name_bytes = from->name_bytes,
                                  .labels_bytes = from->labels_bytes,
                                  .now = {.min = INFINITY, .max = -INFINITY},
                                  .histogram = histogram};
    if (histogram != NULL) {
        histogram->min = INFINITY;
        histogram->max = -INFINITY;
    }
    row->service = place(&texts, service, service_bytes);
    row->name = place(&texts, from->name, from->name_bytes);
    row->labels = place(&texts, from->labels, from->labels_bytes);
    row->help = place(&texts, from->help, from->help_bytes);
    row->unit = place(&texts, from->unit, from->unit_bytes);
    return row;
}

static struct hst_tally_row *find_row(struct hst_tally *tally, const char *service,
                                      const struct hst_counter_row *from)
{
    if (tally->next < tally->count && is_row(&tally->rows[tally->next], service, from))
        return &tally->rows[tally->next++];
    uint64_t key = hst_hash_bytes(service, strlen(service), from->kind);
    key = hst_hash_bytes(from->name, from->name_bytes, key);
    key = hst_hash_bytes(from->labels, from->labels_bytes, key);
    for (;; key++) {
        uint32_t id = hst_map_find(&tally->index, key);
        if (id != HST_MAP_ABSENT && !is_row(&tally->rows[id], service, from))
            continue;
        tally->next = id != HST_MAP_ABSENT ? (size_t)id + 1 : tally->count + 1;
        return id != HST_MAP_ABSENT ? &tally->rows[id] : make_row(tally, service, from, key);
    }
}

static void add_window(struct hst_tally_row *row, const struct hst_counter_window *window, int lives,
                       uint64_t now_ns)
{
    struct hst_window_moment moment;
    row->count += window->count;
    row->sum += window->sum;
    row->width_ns = window->width_ns;
    row->window_s = hst_window_seconds(window);
    if (!lives)
        return;
    hst_window_read(window, now_ns, &moment);
    row->now.count += moment.count;
    row->now.sum += moment.sum;
    row->now.min = fmin(row->now.min, moment.min);
    row->now.max = fmax(row->now.max, moment.max);
    row->rate += moment.seconds > 0 ? (double)moment.count / moment.seconds : 0;
}

/* The slots of an octave that something is in; -> how many values. */
static uint64_t add_parts(uint64_t *into, const uint64_t *from, uint32_t slots)
{
    uint64_t count = 0;
    for (; slots != 0; slots &= slots - 1) {
        size_t begin = (size_t)__builtin_ctz(slots) * HST_COUNTER_SLOT_PARTS;
        for (size_t i = begin; i < begin + HST_COUNTER_SLOT_PARTS; i++) {
            uint64_t seen = from[i];
            into[i] += seen;
            count += seen;
        }
    }
    return count;
}

/* One pass over what is there: a file may have tens of thousands. */
static enum hst_status add_histogram(struct hst_histogram_moment *into, const struct hst_counter_row *row)
{
    const struct hst_counter_histogram *from = row->cell;
    uint64_t octaves = __atomic_load_n(&from->octaves, __ATOMIC_ACQUIRE), count = from->low + from->above;
    for (; octaves != 0; octaves &= octaves - 1) {
        size_t i = (size_t)__builtin_ctzll(octaves);
        uint64_t place = __atomic_load_n(&from->places[i], __ATOMIC_RELAXED);
        const uint64_t *parts = hst_counter_row_octave(row, place);
        if (parts == NULL)
            continue;
        uint64_t *octave = (uint64_t *)(uintptr_t)into->octaves[i];
        if (octave == NULL)
            into->octaves[i] = octave = hst_alloc_zero(HST_COUNTER_OCTAVE_PARTS, sizeof *octave);
        if (octave == NULL)
            return HST_E_NOMEM;
        into->used |= UINT64_C(1) << i;
        count += add_parts(octave, parts, (uint32_t)(place >> 32) & 0xff);
    }
    into->low += from->low;
    into->above += from->above;
    into->invalid += from->invalid;
    into->count += count;
    into->sum += from->sum;
    into->min = fmin(into->min, from->min);
    into->max = fmax(into->max, from->max);
    return HST_OK;
}

enum hst_status hst_tally_add(struct hst_tally *tally, const char *service,
                              const struct hst_counter_row *from, int lives, uint64_t now_ns)
{
    if (!lives && from->kind == HST_COUNTER_GAUGE)
        return HST_OK;
    struct hst_tally_row *row = find_row(tally, service, from);
    if (row == NULL)
        return HST_E_NOMEM;
    row->processes += lives != 0;
    if (from->kind == HST_COUNTER_HISTOGRAM)
        return add_histogram(row->histogram, from);
    if (from->kind >= HST_COUNTER_FREQUENCY) {
        add_window(row, from->cell, lives, now_ns);
        return HST_OK;
    }
    const struct hst_counter_number *number = from->cell;
    row->whole = (int64_t)((uint64_t)row->whole + (uint64_t)number->whole);
    row->part += number->part;
    return HST_OK;
}

enum hst_status hst_tally_add_file(struct hst_tally *tally, const struct hst_counter_file *file, int lives,
                                   uint64_t now_ns)
{
    struct hst_counter_row row;
    for (uint64_t slot = 0; hst_counter_file_next(file, &slot, &row);)
        HST_TRY(hst_tally_add(tally, file->header.service, &row, lives, now_ns));
    return HST_OK;
}

static int compare(const void *a, const void *b)
{
    const struct hst_tally_row *left = a, *right = b;
    int order = strcmp(left->service, right->service);
    if (order == 0)
        order = strcmp(left->name, right->name);
    if (order == 0)
        order = (int)left->kind - (int)right->kind;
    size_t both = left->labels_bytes < right->labels_bytes ? left->labels_bytes : right->labels_bytes;
    if (order == 0)
        order = memcmp(left->labels, right->labels, both);
    return order != 0
               ? order
               : (left->labels_bytes > right->labels_bytes) - (left->labels_bytes < right->labels_bytes);
}

void hst_tally_sort(struct hst_tally *tally)
{
    if (tally->count > 0)
        qsort(tally->rows, tally->count, sizeof tally->rows[0], compare);
    hst_map_clear(&tally->index); /* which no longer says where a row is */
}
