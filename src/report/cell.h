/* Numbers and names as they stand in a table: aligned, with their unit, cut to a width, and with nothing in
 * them that a terminal would obey (names come from the measured program). */
#ifndef HST_REPORT_CELL_H
#define HST_REPORT_CELL_H

#include <stddef.h>
#include <stdint.h>

#include "analyze/share.h"
#include "base/buffer.h"
#include "model/profile.h"
#include "model/run.h"
#include "report/style.h"

#define HST_CELL_BYTES 160
/* A short text by value, so that calls can stand inside a format's arguments. */
struct hst_cell {
    char text[HST_CELL_BYTES];
};

struct hst_cell hst_cell_duration(uint64_t ns);                 /* "12.3 s", "450 ms", "3 min 05 s" */
struct hst_cell hst_cell_each(uint64_t ns, uint64_t count);     /* ns / count, to the ns: "85 ns", "12 us" */
struct hst_cell hst_cell_count(uint64_t count);                 /* "1,234,567" */
struct hst_cell hst_cell_bytes(uint64_t bytes);                 /* "512 B", "34.1 KB", "1.20 GB": of 1000 */
struct hst_cell hst_cell_percent(double share);                 /* " 45.2 %": always 7 wide */
struct hst_cell hst_cell_margin(const struct hst_share *share); /* half of the interval in points, "1.1" */
/* "1.27-1.31x"; only_most: "<=1.31x" */
struct hst_cell hst_cell_gain(const struct hst_gain *gain, int only_most, const struct hst_style *style);
struct hst_cell hst_cell_rate(double hz); /* "1 kHz"; 0: "full speed" */
struct hst_cell hst_cell_bar(double share, int width, const struct hst_style *style); /* always width wide */

/* Columns that the text takes. */
size_t hst_text_width(const char *text);
/* Appends text without control characters, cut to at most width columns (an ellipsis says so; keep_end cuts
 * its beginning) and, when pad, filled with spaces up to width. */
enum hst_text_cut { HST_CUT_END, HST_CUT_START };
void hst_text_add(struct hst_buffer *buffer, const char *text, size_t width, enum hst_text_cut cut, int pad,
                  const struct hst_style *style);

/* A file as a person knows it: relative to the run's folder, or its last two parts. */
struct hst_cell hst_cell_file(const char *file, const char *directory);
/* As one word of a shell command: quoted where it has to be. Too long to quote: as it is. */
struct hst_cell hst_cell_word(const char *text);
/* "Class.method": the qualified name without <locals>, which says nothing that the eye needs. */
struct hst_cell hst_cell_name(const char *qualname);
struct hst_cell hst_cell_function(const struct hst_profile *profile, uint32_t function);

#endif
