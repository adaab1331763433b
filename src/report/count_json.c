/* Counters as JSON; docs/commands/count.md says what is in it. Written as it goes: tens of thousands of
 * series are no burden then. */
#include <inttypes.h>
#include <math.h>

#include "report/count_values.h"

static void add_key(struct hst_buffer *out, const char *key)
{
    hst_buffer_add(out, ",\"", 2);
    hst_buffer_add_text(out, key);
    hst_buffer_add(out, "\":", 2);
}

static void add_count(struct hst_buffer *out, const char *key, uint64_t count)
{
    add_key(out, key);
    hst_count_whole_add(out, count < INT64_MAX ? (int64_t)count : INT64_MAX);
}

static void add_text(struct hst_buffer *out, const char *key, const char *text)
{
    add_key(out, key);
    hst_buffer_add_byte(out, '"');
    hst_count_text_add(out, text);
    hst_buffer_add_byte(out, '"');
}

/* What is not a number is null. */
static void add_number(struct hst_buffer *out, const char *key, double value)
{
    add_key(out, key);
    if (isfinite(value))
        hst_count_number_add(out, value);
    else
        hst_buffer_add_text(out, "null");
}

static void add_labels(struct hst_buffer *out, const struct hst_tally_row *row)
{
    const char *key, *value, *between = "";
    add_key(out, "labels");
    hst_buffer_add_byte(out, '{');
    for (size_t at = 0; hst_tally_label_next(row, &at, &key, &value); between = ",") {
        hst_buffer_add_text(out, between);
        hst_buffer_add_byte(out, '"');
        hst_count_text_add(out, key);
        hst_buffer_add_text(out, "\":\"");
        hst_count_text_add(out, value);
        hst_buffer_add_byte(out, '"');
    }
    hst_buffer_add_byte(out, '}');
}

static void add_spread(struct hst_buffer *out, uint64_t count, double sum, double min, double max)
{
    add_count(out, "count", count);
    add_number(out, "sum", sum);
    add_number(out, "min", min);
    add_number(out, "max", max);
}

static void add_row(struct hst_buffer *out, const struct hst_tally_row *row)
{
    hst_buffer_add_text(out, "{\"name\":\"");
    hst_count_text_add(out, row->name);
    hst_buffer_add_byte(out, '"');
    add_labels(out, row);
    add_text(out, "kind", hst_counter_kind_name(row->kind));
    add_text(out, "unit", row->unit);
    add_text(out, "service", row->service);
    add_count(out, "processes", row->processes);
    if (row->part == 0 && (row->kind == HST_COUNTER_COUNTER || row->kind == HST_COUNTER_TOTAL)) {
        add_key(out, "value");
        hst_count_whole_add(out, row->whole);
    } else {
        add_number(out, "value", hst_tally_value(row));
    }
    if (row->kind == HST_COUNTER_HISTOGRAM) {
        const struct hst_histogram_moment *h = row->histogram;
        add_spread(out, h->count, h->sum, h->min, h->max);
        for (size_t i = 0; i < HST_QUANTILES; i++)
            add_number(out, hst_quantiles[i].name, hst_histogram_quantile(h, hst_quantiles[i].q));
        add_count(out, "invalid", h->invalid);
    } else if (row->kind >= HST_COUNTER_FREQUENCY) {
        add_number(out, "window_s", row->window_s);
        add_number(out, "frequency", row->rate);
        add_spread(out, row->now.count, row->now.sum, row->now.min, row->now.max);
        add_count(out, "count_since_start", row->count);
    }
    hst_buffer_add_byte(out, '}');
}

static void add_process(struct hst_buffer *out, const struct hst_survey_process *process)
{
    static const char *const lives[] = {
        [HST_COUNTER_DEAD] = "false", [HST_COUNTER_LIVES] = "true", [HST_COUNTER_ELSEWHERE] = "null"};
    hst_buffer_add_fmt(out, "{\"pid\":%" PRIu32 ",\"lives\":%s,\"lost\":%" PRIu64, process->owner.pid,
                       lives[process->life], process->lost);
    add_text(out, "service", process->service);
    add_text(out, "command", process->command);
    hst_buffer_add_byte(out, '}');
}

enum hst_status hst_count_json(const struct hst_survey *survey, struct hst_buffer *out)
{
    hst_buffer_add_fmt(out, "{\"time_s\":%.3f,\"processes\":[", (double)survey->wall_ns / 1e9);
    for (size_t i = 0; i < survey->process_count; i++) {
        hst_buffer_add_text(out, i > 0 ? "," : "");
        add_process(out, &survey->processes[i]);
    }
    hst_buffer_add_text(out, "],\"series\":[");
    for (size_t i = 0; i < survey->tally.count; i++) {
        hst_buffer_add_text(out, i > 0 ? "," : "");
        add_row(out, &survey->tally.rows[i]);
    }
    hst_buffer_add_text(out, "]}\n");
    return hst_buffer_status(out);
}
