/* What a line tracer counted: a row for each line of the chosen functions that was run. */
#ifndef HST_MODEL_LINES_H
#define HST_MODEL_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct hst_line_row {
    uint32_t function, line;
    uint64_t hits;
    uint64_t raw_ns;   /* self time as measured: without the chosen functions that the line calls */
    uint64_t self_ns;  /* without what the watching cost */
    uint64_t total_ns; /* with all that the line calls; recursion counts once */
};

struct hst_lines {
    struct hst_line_row *rows;
    size_t count, capacity;
    struct hst_map index; /* function << 32 | line -> row */
};

void hst_lines_init(struct hst_lines *lines);
void hst_lines_release(struct hst_lines *lines);
/* The row of a line, made when there is none; NULL when memory is out. */
struct hst_line_row *hst_lines_row(struct hst_lines *lines, uint32_t function, uint32_t line);
/* Function by function, in order of their total time, largest first, and by line in each. */
void hst_lines_sort(struct hst_lines *lines);

#endif
