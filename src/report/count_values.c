/* Values, labels and texts of series, before they are laid out. */
#include "report/count_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Numbers of up to 15 digits between these are written without an exponent. */
#define SHORT_MIN 1e-7
#define SHORT_MAX 1e15

const struct hst_quantile hst_quantiles[HST_QUANTILES] = {
    {"p50", "0.5", 0.5}, {"p90", "0.9", 0.9}, {"p99", "0.99", 0.99}, {"p999", "0.999", 0.999}};

const char *hst_counter_kind_name(enum hst_counter_kind kind)
{
    static const char *const names[HST_COUNTER_KIND_COUNT] = {[HST_COUNTER_NONE] = "none",
                                                              [HST_COUNTER_COUNTER] = "counter",
                                                              [HST_COUNTER_TOTAL] = "total",
                                                              [HST_COUNTER_GAUGE] = "gauge",
                                                              [HST_COUNTER_FREQUENCY] = "frequency",
                                                              [HST_COUNTER_AVERAGE] = "average",
                                                              [HST_COUNTER_MIN] = "min",
                                                              [HST_COUNTER_MAX] = "max",
                                                              [HST_COUNTER_WINDOW] = "window",
                                                              [HST_COUNTER_HISTOGRAM] = "histogram"};
    return names[kind < HST_COUNTER_KIND_COUNT ? kind : HST_COUNTER_NONE];
}

double hst_tally_value(const struct hst_tally_row *row)
{
    switch (row->kind) {
    case HST_COUNTER_COUNTER:
    case HST_COUNTER_TOTAL:
        return (double)row->whole + row->part;
    case HST_COUNTER_GAUGE:
        return row->processes > 0 ? (double)row->whole + row->part : NAN;
    case HST_COUNTER_FREQUENCY:
        return row->rate;
    case HST_COUNTER_MIN:
        return row->now.count > 0 ? row->now.min : NAN;
    case HST_COUNTER_MAX:
        return row->now.count > 0 ? row->now.max : NAN;
    case HST_COUNTER_HISTOGRAM:
        return row->histogram->count > 0 ? row->histogram->sum / (double)row->histogram->count : NAN;
    default:
        return row->now.count > 0 ? row->now.sum / (double)row->now.count : NAN;
    }
}

int hst_tally_label_next(const struct hst_tally_row *row, size_t *at, const char **ret_key,
                         const char **ret_value)
{
    if (*at >= row->labels_bytes)
        return 0;
    *ret_key = row->labels + *at;
    *at += strlen(*ret_key) + 1;
    *ret_value = *at < row->labels_bytes ? row->labels + *at : "";
    *at += strlen(*ret_value) + 1;
    return 1;
}

/* Bytes of the character that text begins with; 0: it is none. */
static size_t character(const unsigned char *text)
{
    size_t more = text[0] < 0x80                      ? 0
                  : text[0] >= 0xc2 && text[0] < 0xe0 ? 1
                  : (text[0] & 0xf0) == 0xe0          ? 2
                  : text[0] >= 0xf0 && text[0] < 0xf5 ? 3
                                                      : 4;
    if (more == 4 || (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0) ||
        (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90))
        return 0;
    for (size_t i = 1; i <= more; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return more + 1;
}

void hst_count_text_add(struct hst_buffer *out, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0';) {
        size_t bytes = character(at);
        if (*at == '\\' || *at == '"')
            hst_buffer_add_fmt(out, "\\%c", *at);
        else if (*at == '\n')
            hst_buffer_add_text(out, "\\n");
        else if (*at < 0x20 || *at == 0x7f || bytes == 0)
            hst_buffer_add_byte(out, '?');
        else
            hst_buffer_add(out, at, bytes);
        at += bytes > 0 ? bytes : 1;
    }
}

static void add_decimal(struct hst_buffer *out, int negative, uint64_t digits, unsigned places)
{
    char text[40], *end = text + sizeof text, *at = end;
    for (unsigned written = 0; digits > 0 || written <= places; written++) {
        if (places > 0 && written == places)
            *--at = '.';
        *--at = (char)('0' + digits % 10);
        digits /= 10;
    }
    if (negative)
        *--at = '-';
    hst_buffer_add(out, at, (size_t)(end - at));
}

void hst_count_whole_add(struct hst_buffer *out, int64_t value)
{
    add_decimal(out, value < 0, value < 0 ? -(uint64_t)value : (uint64_t)value, 0);
}

/* Most numbers need few digits. They and the power of ten are exact in a double then, so that one division
 * proves them as well as strtod would, in a hundredth of the time. */
static int add_short(struct hst_buffer *out, double value)
{
    double size = fabs(value), power = 1;
    for (unsigned places = 0; size * power < SHORT_MAX; places++, power *= 10) {
        uint64_t digits = (uint64_t)(size * power + 0.5);
        if ((double)digits / power != size)
            continue;
        add_decimal(out, value < 0, digits, places);
        return 1;
    }
    return 0;
}

void hst_count_number_add(struct hst_buffer *out, double value)
{
    char text[40];
    if (isnan(value)) {
        hst_buffer_add_text(out, "NaN");
    } else if (isinf(value)) {
        hst_buffer_add_text(out, value > 0 ? "+Inf" : "-Inf");
    } else if (value == 0) {
        hst_buffer_add_byte(out, '0');
    } else if (fabs(value) >= SHORT_MIN && fabs(value) < SHORT_MAX) {
        if (add_short(out, value))
            return;
        (void)snprintf(text, sizeof text, "%.17g", value); /* 15 digits do not tell it */
        hst_buffer_add_text(out, text);
    } else {
        (void)snprintf(text, sizeof text, "%.15g", value);
        if (strtod(text, NULL) != value)
            (void)snprintf(text, sizeof text, "%.17g", value);
        hst_buffer_add_text(out, text);
    }
}
