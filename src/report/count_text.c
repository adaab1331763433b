/* Counters as a table, service by service. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/cell.h"
#include "report/count_values.h"

enum { NUMBERS = 6, NUMBERS_WIDTH = 64, NAME_LEAST = 24, NAME_MOST = 60, WIDTH_MOST = 4096 };
static const int widths[NUMBERS] = {12, 12, 10, 10, 10, 10};

/* In its unit: times as times, all else with four digits that count. */
static struct hst_cell number(double value, const char *unit)
{
    struct hst_cell cell = {"-"};
    if (!isfinite(value))
        return cell;
    if (strcmp(unit, "seconds") == 0 && value >= 1e-6 && value < 1e9)
        return hst_cell_duration((uint64_t)(value * 1e9));
    if (strcmp(unit, "seconds") == 0 && value >= 0 && value < 1)
        (void)snprintf(cell.text, sizeof cell.text, "%.0f ns", value * 1e9);
    else if (value >= 0 && value < 1e15 && value == floor(value))
        return hst_cell_count((uint64_t)value);
    else if (fabs(value) >= 1e15 || (value != 0 && fabs(value) < 1e-3))
        (void)snprintf(cell.text, sizeof cell.text, "%.3e", value);
    else
        (void)snprintf(cell.text, sizeof cell.text, "%.*f",
                       fabs(value) < 10     ? 3
                       : fabs(value) < 1000 ? 1
                                            : 0,
                       value);
    return cell;
}

static int is_same(const struct hst_tally_row *a, const struct hst_tally_row *b)
{
    return a->kind == b->kind && a->labels_bytes == b->labels_bytes && strcmp(a->name, b->name) == 0 &&
           memcmp(a->labels, b->labels, a->labels_bytes) == 0 && strcmp(a->service, b->service) == 0;
}

/* Events since before, a second; NaN: cannot be told. Both are sorted; *at walks along. */
static double rate(const struct hst_survey *survey, const struct hst_survey *before, size_t *at,
                   const struct hst_tally_row *row)
{
    if (row->kind >= HST_COUNTER_FREQUENCY && row->kind <= HST_COUNTER_WINDOW)
        return row->rate;
    if (row->kind == HST_COUNTER_GAUGE || before == NULL || survey->time_ns <= before->time_ns)
        return NAN;
    size_t i = *at;
    while (i < before->tally.count && !is_same(&before->tally.rows[i], row))
        i++;
    const struct hst_tally_row *old = i < before->tally.count ? &before->tally.rows[i] : NULL;
    if (old != NULL)
        *at = i + 1;
    double seconds = (double)(survey->time_ns - before->time_ns) / 1e9;
    if (row->kind == HST_COUNTER_HISTOGRAM)
        return ((double)row->histogram->count - (old != NULL ? (double)old->histogram->count : 0)) / seconds;
    return (hst_tally_value(row) - (old != NULL ? hst_tally_value(old) : 0)) / seconds;
}

/* name{key="value"} */
static void name_row(const struct hst_tally_row *row, struct hst_buffer *into)
{
    const char *key, *value, *between = "{";
    hst_buffer_clear(into);
    hst_buffer_add_text(into, row->name);
    for (size_t at = 0; hst_tally_label_next(row, &at, &key, &value); between = ",")
        hst_buffer_add_fmt(into, "%s%s=\"%s\"", between, key, value);
    hst_buffer_add_text(into, row->labels_bytes > 0 ? "}" : "");
    hst_buffer_add_byte(into, '\0');
}

static size_t name_width(const struct hst_survey *survey, const struct hst_style *style,
                         struct hst_buffer *name)
{
    size_t width = NAME_LEAST;
    size_t room =
        style->width > NUMBERS_WIDTH + NAME_LEAST + 2 ? (size_t)style->width - NUMBERS_WIDTH - 2 : NAME_LEAST;
    for (size_t i = 0; i < survey->tally.count && i < 1000; i++) {
        name_row(&survey->tally.rows[i], name);
        size_t wanted = name->data != NULL ? hst_text_width((const char *)name->data) : 0;
        width = wanted > width ? wanted : width;
    }
    width = width > NAME_MOST ? NAME_MOST : width;
    return width > room ? room : width;
}

static void add_row(struct hst_buffer *out, const struct hst_tally_row *row, double per_s, const char *name,
                    size_t width, const struct hst_style *style)
{
    struct hst_cell cells[NUMBERS];
    int histogram = row->kind == HST_COUNTER_HISTOGRAM;
    const char *unit = row->kind == HST_COUNTER_FREQUENCY ? "" : row->unit;
    cells[0] = histogram ? hst_cell_count(row->histogram->count) : number(hst_tally_value(row), unit);
    cells[1] = number(per_s, "");
    for (size_t i = 0; i < 3; i++)
        cells[2 + i] = histogram ? number(hst_histogram_quantile(row->histogram, hst_quantiles[i].q), unit)
                                 : (struct hst_cell){""};
    double most = histogram ? row->histogram->max : row->now.max;
    int has_most = histogram || (row->kind >= HST_COUNTER_AVERAGE && row->kind <= HST_COUNTER_WINDOW);
    cells[5] = has_most ? number(most, unit) : (struct hst_cell){""};
    hst_buffer_add_text(out, "  ");
    if (hst_text_width(name) > width) { /* a line of its own: names are never cut */
        hst_text_add(out, name, WIDTH_MOST, HST_CUT_END, 0, style);
        hst_buffer_add_text(out, "\n  ");
        name = "";
    }
    hst_text_add(out, name, width, HST_CUT_END, 1, style);
    for (size_t i = 0; i < NUMBERS; i++) {
        int wide = (int)hst_text_width(cells[i].text);
        hst_buffer_add_fmt(out, "%*s%s", wide < widths[i] ? widths[i] - wide : 1, "", cells[i].text);
    }
    while (out->length > 0 && out->data[out->length - 1] == ' ')
        out->length--;
    hst_buffer_add_byte(out, '\n');
}

static void add_service(struct hst_buffer *out, const struct hst_survey *survey, const char *service,
                        size_t width, const struct hst_style *style)
{
    size_t lives = 0, ended = 0;
    for (size_t i = 0; i < survey->process_count; i++) {
        if (strcmp(survey->processes[i].service, service) != 0)
            continue;
        lives += survey->processes[i].life != HST_COUNTER_DEAD;
        ended += survey->processes[i].life == HST_COUNTER_DEAD;
    }
    hst_buffer_add_text(out, hst_ink(style, HST_INK_BOLD));
    hst_text_add(out, service, NAME_MOST, HST_CUT_END, 0, style);
    hst_buffer_add_text(out, hst_ink(style, HST_INK_RESET));
    hst_buffer_add_fmt(out, "  %zu process%s", lives, lives == 1 ? "" : "es");
    if (ended > 0)
        hst_buffer_add_fmt(out, ", %zu ended", ended);
    static const char *const heads[NUMBERS] = {"value", "per second", "p50", "p90", "p99", "max"};
    hst_buffer_add_fmt(out, "\n%s  %-*s", hst_ink(style, HST_INK_DIM), (int)width, "name");
    for (size_t i = 0; i < NUMBERS; i++)
        hst_buffer_add_fmt(out, "%*s", widths[i], heads[i]);
    hst_buffer_add_fmt(out, "%s\n", hst_ink(style, HST_INK_RESET));
}

enum hst_status hst_count_text(const struct hst_survey *survey, const struct hst_survey *before, size_t rows,
                               const struct hst_style *style, struct hst_buffer *out)
{
    struct hst_buffer name;
    hst_buffer_init(&name, 0);
    size_t width = name_width(survey, style, &name), at = 0, shown = 0;
    const char *service = NULL;
    for (; shown < survey->tally.count && (rows == 0 || shown < rows); shown++) {
        const struct hst_tally_row *row = &survey->tally.rows[shown];
        if (service == NULL || strcmp(service, row->service) != 0) {
            hst_buffer_add_text(out, service != NULL ? "\n" : "");
            add_service(out, survey, service = row->service, width, style);
        }
        name_row(row, &name);
        add_row(out, row, rate(survey, before, &at, row), name.data != NULL ? (const char *)name.data : "",
                width, style);
    }
    if (shown < survey->tally.count)
        hst_buffer_add_fmt(out, "  ... and %zu more (-n ROWS, --json)\n", survey->tally.count - shown);
    uint64_t lost = 0;
    for (size_t i = 0; i < survey->process_count; i++)
        lost += survey->processes[i].lost;
    if (lost > 0)
        hst_buffer_add_fmt(out, "  %s values were lost: there was no memory for them\n",
                           hst_cell_count(lost).text);
    enum hst_status status = hst_buffer_status(&name);
    hst_buffer_release(&name);
    return status == HST_OK ? hst_buffer_status(out) : status;
}
