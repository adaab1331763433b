/* Counters as OpenMetrics text. A family of that format has one name and one kind, and its samples stand
 * together: a series is one family or, where it says several things, several.
 *
 *   counter            counter            NAME_total
 *   total, gauge       gauge              NAME
 *   frequency          gauge              NAME (per second)
 *   average, min, max  gauge              NAME
 *   window             three gauges       NAME_average, NAME_min, NAME_max
 *   histogram          summary, 2 gauges  NAME{quantile=...}, NAME_count, NAME_sum; NAME_min, NAME_max
 *
 * A unit is the end of a name. Every sample has the label service. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "report/count_values.h"

enum part { WHOLE, AVERAGE, MIN, MAX };
struct sample_of {
    const struct hst_tally_row *row;
    enum part part;
    char family[400];
};
struct families {
    struct sample_of *items;
    size_t count, capacity;
};

/* Letters, digits, _ and :, not with a digit first. */
static size_t add_name(char *into, size_t length, size_t size, const char *text)
{
    if (length == 0 && (text[0] == '\0' || (text[0] >= '0' && text[0] <= '9')))
        into[length++] = '_';
    for (; *text != '\0' && length + 1 < size; text++) {
        char c = *text;
        int good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                   c == ':';
        if (good || length == 0 || into[length - 1] != '_') /* a character of several bytes is one _ */
        {
            if (!good)
                c = '_';
            into[length++] = c;
        }
    }
    into[length] = '\0';
    return length;
}

static int ends_with(const char *text, const char *ending)
{
    size_t length = strlen(text), wanted = strlen(ending);
    return length >= wanted && strcmp(text + length - wanted, ending) == 0;
}

static void name_family(struct sample_of *sample, const char *part)
{
    char unit[260];
    size_t length = add_name(sample->family, 0, sizeof sample->family - 20, sample->row->name);
    if (sample->row->kind == HST_COUNTER_COUNTER && length > 6 && ends_with(sample->family, "_total"))
        sample->family[length -= 6] = '\0';
    length += (size_t)snprintf(sample->family + length, 12, "%s", part);
    if (sample->row->unit[0] == '\0' || sample->row->kind == HST_COUNTER_FREQUENCY)
        return;
    unit[0] = '_';
    (void)add_name(unit, 1, sizeof unit, sample->row->unit);
    if (!ends_with(sample->family, unit) && length + strlen(unit) < sizeof sample->family)
        memcpy(sample->family + length, unit, strlen(unit) + 1);
}

static enum hst_status add_part(struct families *families, const struct hst_tally_row *row, enum part part,
                                const char *name)
{
    if (!HST_RESERVE(families->items, families->capacity, families->count + 1))
        return HST_E_NOMEM;
    struct sample_of *sample = &families->items[families->count++];
    *sample = (struct sample_of){.row = row, .part = part};
    name_family(sample, name);
    return HST_OK;
}

static enum hst_status add_parts(struct families *families, const struct hst_tally_row *row)
{
    if (row->kind == HST_COUNTER_HISTOGRAM)
        HST_TRY(add_part(families, row, WHOLE, ""));
    else if (row->kind == HST_COUNTER_WINDOW)
        HST_TRY(add_part(families, row, AVERAGE, "_average"));
    else
        return add_part(families, row, WHOLE, "");
    HST_TRY(add_part(families, row, MIN, "_min"));
    return add_part(families, row, MAX, "_max");
}

static const char *type_of(const struct sample_of *sample)
{
    if (sample->row->kind == HST_COUNTER_COUNTER)
        return "counter";
    return sample->row->kind == HST_COUNTER_HISTOGRAM && sample->part == WHOLE ? "summary" : "gauge";
}

static int compare(const void *a, const void *b)
{
    const struct sample_of *left = a, *right = b;
    int order = strcmp(left->family, right->family);
    if (order == 0)
        order = strcmp(type_of(left), type_of(right));
    return order != 0 ? order : (left->row > right->row) - (left->row < right->row);
}

static void add_sample(struct hst_buffer *out, const struct sample_of *sample, const char *name,
                       const char *ending, const char *quantile)
{
    const char *key, *value;
    char label[300];
    hst_buffer_add_fmt(out, "%s%s{service=\"", name, ending);
    hst_count_text_add(out, sample->row->service);
    hst_buffer_add_byte(out, '"');
    for (size_t at = 0; hst_tally_label_next(sample->row, &at, &key, &value);) {
        (void)add_name(label, 0, sizeof label, key);
        int taken = strcmp(label, "service") == 0 || strcmp(label, "quantile") == 0;
        hst_buffer_add_fmt(out, ",%s%s=\"", taken ? "own_" : "", label);
        hst_count_text_add(out, value);
        hst_buffer_add_byte(out, '"');
    }
    if (quantile != NULL)
        hst_buffer_add_fmt(out, ",quantile=\"%s\"", quantile);
    hst_buffer_add_text(out, "} ");
}

static void add_line(struct hst_buffer *out, const struct sample_of *sample, const char *name,
                     const char *ending, const char *quantile, double value)
{
    add_sample(out, sample, name, ending, quantile);
    hst_count_number_add(out, value);
    hst_buffer_add_byte(out, '\n');
}

static double value_of(const struct sample_of *sample)
{
    const struct hst_tally_row *row = sample->row;
    double min = row->kind == HST_COUNTER_HISTOGRAM ? row->histogram->min : row->now.min;
    double max = row->kind == HST_COUNTER_HISTOGRAM ? row->histogram->max : row->now.max;
    if (sample->part == MIN || sample->part == MAX)
        return min <= max ? (sample->part == MIN ? min : max) : NAN;
    return hst_tally_value(row);
}

static void add_lines(struct hst_buffer *out, const struct sample_of *sample, const char *name)
{
    const struct hst_tally_row *row = sample->row;
    if (row->kind == HST_COUNTER_COUNTER) {
        if (row->part == 0) { /* exact, however large */
            add_sample(out, sample, name, "_total", NULL);
            hst_buffer_add_fmt(out, "%" PRId64 "\n", row->whole);
            return;
        }
        add_line(out, sample, name, "_total", NULL, hst_tally_value(row));
        return;
    }
    if (row->kind != HST_COUNTER_HISTOGRAM || sample->part != WHOLE) {
        add_line(out, sample, name, "", NULL, value_of(sample));
        return;
    }
    for (size_t i = 0; i < HST_QUANTILES; i++)
        add_line(out, sample, name, "", hst_quantiles[i].text,
                 hst_histogram_quantile(row->histogram, hst_quantiles[i].q));
    add_sample(out, sample, name, "_count", NULL);
    hst_buffer_add_fmt(out, "%" PRIu64 "\n", row->histogram->count);
    add_line(out, sample, name, "_sum", NULL, row->histogram->sum);
}

static void add_head(struct hst_buffer *out, const struct sample_of *sample, const char *name,
                     int open_metrics)
{
    const char *type = type_of(sample);
    const char *ending = !open_metrics && type[0] == 'c' ? "_total" : "";
    char unit[260];
    hst_buffer_add_fmt(out, "# TYPE %s%s %s\n", name, ending, type);
    unit[0] = '_';
    (void)add_name(unit, 1, sizeof unit, sample->row->unit);
    if (open_metrics && unit[1] != '\0' && ends_with(name, unit))
        hst_buffer_add_fmt(out, "# UNIT %s %s\n", name, unit + 1);
    if (sample->row->help[0] == '\0')
        return;
    hst_buffer_add_fmt(out, "# HELP %s%s ", name, ending);
    hst_count_text_add(out, sample->row->help);
    hst_buffer_add_byte(out, '\n');
}

enum hst_status hst_count_metrics(const struct hst_survey *survey, int open_metrics, struct hst_buffer *out)
{
    struct families families = {0};
    enum hst_status status = HST_OK;
    for (size_t i = 0; status == HST_OK && i < survey->tally.count; i++)
        status = add_parts(&families, &survey->tally.rows[i]);
    if (status == HST_OK && families.count > 0)
        qsort(families.items, families.count, sizeof families.items[0], compare);
    const struct sample_of *last = NULL;
    char name[420];
    for (size_t i = 0; status == HST_OK && i < families.count; i++) {
        const struct sample_of *sample = &families.items[i];
        int same_name = last != NULL && strcmp(last->family, sample->family) == 0;
        if (!same_name || strcmp(type_of(last), type_of(sample)) != 0) {
            /* Two kinds of one name, in two services: the second is told apart. */
            (void)snprintf(name, sizeof name, "%s%s%s", sample->family, same_name ? "_" : "",
                           same_name ? type_of(sample) : "");
            add_head(out, sample, name, open_metrics);
        }
        add_lines(out, sample, name);
        last = sample;
    }
    hst_buffer_add_text(out, open_metrics ? "# EOF\n" : "");
    hst_free(families.items);
    return status == HST_OK ? hst_buffer_status(out) : status;
}
