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
        hst_free(tally->rows[i].service); /* the others lie behind it */
        for (size_t j = 0; j < HST_COUNTER_OCTAVES; j++)
            hst_free((void *)(uintptr_t)tally->rows[i].histogram.octaves[j]);
    }
    hst_free(tally->rows);
    hst_map_release(&tally->index);
}

static int is_row(const struct hst_tally_row *row, const char *service, const struct hst_counter_row *from)
{
    return row->kind == from->kind && row->labels_bytes == from->labels_bytes &&
           strlen(row->name) == from->name_bytes && memcmp(row->name, from->name, from->name_bytes) == 0 &&
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
    if (texts == NULL || !HST_RESERVE(tally->rows, tally->capacity, tally->count + 1) ||
        !hst_map_set(&tally->index, key, (uint32_t)tally->count)) {
        hst_free(texts);
        return NULL;
    }
    struct hst_tally_row *row = &tally->rows[tally->count++];
    *row = (struct hst_tally_row){.kind = from->kind,
                                  .labels_bytes = from->labels_bytes,
                                  .now = {.min = INFINITY, .max = -INFINITY},
                                  .histogram = {.min = INFINITY, .max = -INFINITY}};
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
    uint64_t key = hst_hash_bytes(service, strlen(service), from->kind);
    key = hst_hash_bytes(from->name, from->name_bytes, key);
    key = hst_hash_bytes(from->labels, from->labels_bytes, key);
    for (;; key++) {
        uint32_t id = hst_map_find(&tally->index, key);
        if (id == HST_MAP_ABSENT)
            return make_row(tally, service, from, key);
        if (is_row(&tally->rows[id], service, from))
            return &tally->rows[id];
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

/* One pass over what is there: a file may have tens of thousands. */
static enum hst_status add_histogram(struct hst_tally_row *row, const struct hst_counter_histogram *from)
{
    struct hst_histogram_moment *into = &row->histogram;
    uint64_t octaves = __atomic_load_n(&from->octaves, __ATOMIC_RELAXED), count = from->low + from->above;
    for (; octaves != 0; octaves &= octaves - 1) {
        size_t i = (size_t)__builtin_ctzll(octaves);
        const uint64_t *parts = from->buckets + i * HST_COUNTER_OCTAVE_PARTS;
        uint64_t *octave = (uint64_t *)(uintptr_t)into->octaves[i];
        if (octave == NULL)
            into->octaves[i] = octave = hst_alloc_zero(HST_COUNTER_OCTAVE_PARTS, sizeof *octave);
        if (octave == NULL)
            return HST_E_NOMEM;
        for (size_t j = 0; j < HST_COUNTER_OCTAVE_PARTS; j++) {
            uint64_t seen = parts[j];
            octave[j] += seen;
            count += seen;
        }
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
        return add_histogram(row, from->cell);
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
