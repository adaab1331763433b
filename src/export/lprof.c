/* What `python -m line_profiler` reads: the pickle of one object LineStats with the state
 *
 *     {'timings': {(file, first line, name): [(line, hits, ticks), ...], ...}, 'unit': 1e-09}
 *
 * The class is named as every version of line_profiler knows it (line_profiler._line_profiler).  Ticks are
 * nanoseconds with all that the line calls, which is what line_profiler means by time; rows are in order of
 * their lines.  Protocol 4 without frames and memory, which readers do not need.
 *
 * Operations used: 0x80 4 protocol · 'X' text + u32 length · 0x93 class of two texts · ')' empty tuple · 0x81
 * object · '}' empty dict · '(' mark · ']' empty list · 'J' int32 · 0x8a n, whole number · 'G' double, big
 * endian · 0x87 tuple of three · 'e' append · 'u' set · 'b' state · '.' end (import/pickle.h reads the same).
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export/exporter.h"
#include "export/text.h"

struct lprof {
    struct hst_export *run;
    struct hst_output *output;
};

static void put(struct lprof *lprof, const char *operations) { hst_output_text(lprof->output, operations); }

static void put_little(struct lprof *lprof, uint64_t value, unsigned bytes)
{
    uint8_t data[8];
    for (unsigned i = 0; i < bytes; i++)
        data[i] = (uint8_t)(value >> (8 * i));
    hst_output_add(lprof->output, data, bytes);
}

static void put_int(struct lprof *lprof, uint64_t value)
{
    if (value <= INT32_MAX) {
        put(lprof, "J");
        put_little(lprof, value, 4);
        return;
    }
    put(lprof, "\x8a\x08");
    put_little(lprof, value <= INT64_MAX ? value : INT64_MAX, 8);
}

static void put_double(struct lprof *lprof, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put(lprof, "G");
    put_little(lprof, __builtin_bswap64(bits), 8);
}

static enum hst_status put_text(struct lprof *lprof, const char *text)
{
    struct hst_buffer clean;
    hst_buffer_init(&clean, INT32_MAX);
    hst_text_clean(&clean, text, "", 0);
    put(lprof, "X");
    put_little(lprof, clean.length, 4);
    hst_output_add(lprof->output, clean.data, clean.length);
    enum hst_status status = hst_buffer_status(&clean);
    hst_buffer_release(&clean);
    return status;
}

static int by_function_and_line(const void *left, const void *right)
{
    const struct hst_line_row *a = left, *b = right;
    if (a->function != b->function)
        return a->function < b->function ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

/* The rows of one function; gives how many there were. */
static enum hst_status put_function(struct lprof *lprof, const struct hst_line_row *rows, size_t count,
                                    size_t *ret_taken)
{
    const struct hst_profile *profile = lprof->run->profile;
    const struct hst_function *function = &profile->functions[rows[0].function];
    size_t taken = 0;
    HST_TRY(put_text(lprof, hst_profile_text(profile, function->file)));
    put_int(lprof, function->first_line);
    HST_TRY(put_text(lprof, hst_profile_text(profile, function->qualname)));
    put(lprof, "\x87](");
    for (; taken < count && rows[taken].function == rows[0].function; taken++) {
        put_int(lprof, rows[taken].line);
        put_int(lprof, rows[taken].hits);
        put_int(lprof, rows[taken].total_ns);
        put(lprof, "\x87");
        lprof->run->kept += rows[taken].hits;
    }
    put(lprof, "e");
    *ret_taken = taken;
    return HST_OK;
}

static enum hst_status write_all(struct lprof *lprof, const struct hst_line_row *rows, size_t count)
{
    put(lprof, "\x80\x04");
    HST_TRY(put_text(lprof, "line_profiler._line_profiler"));
    HST_TRY(put_text(lprof, "LineStats"));
    put(lprof, "\x93)\x81}(");
    HST_TRY(put_text(lprof, "timings"));
    put(lprof, "}(");
    for (size_t i = 0, taken = 0; i < count; i += taken)
        HST_TRY(put_function(lprof, &rows[i], count - i, &taken));
    put(lprof, "u");
    HST_TRY(put_text(lprof, "unit"));
    put_double(lprof, 1e-9);
    put(lprof, "ub.");
    return HST_OK;
}

enum hst_status hst_export_lprof(struct hst_export *run, struct hst_output *output, struct hst_error *err)
{
    const struct hst_lines *lines = run->lines;
    struct lprof lprof = {.run = run, .output = output};
    HST_CLEANUP_FREE struct hst_line_row *rows = hst_alloc(lines->count + 1, sizeof *rows);
    if (rows == NULL)
        return hst_export_nomem(err);
    if (lines->count > 0)
        memcpy(rows, lines->rows, lines->count * sizeof *rows);
    qsort(rows, lines->count, sizeof *rows, by_function_and_line);
    run->kept = 0;
    return write_all(&lprof, rows, lines->count) == HST_OK ? HST_OK : hst_export_nomem(err);
}
