/* What the objects of a program are, by type. */
#ifndef HST_MODEL_HEAP_SUMMARY_H
#define HST_MODEL_HEAP_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

struct hst_heap_row {
    char *type; /* module.Class */
    uint64_t objects;
    uint64_t bytes; /* of their own blocks, without tables and buffers */
};

struct hst_heap_summary {
    int pid;
    char *command;
    char interpreter[64];
    uint64_t pause_ns;     /* for which the program stood still; 0: it was a core file */
    uint64_t copied_bytes; /* memory of its own that it has */
    uint64_t census_ns;
    struct hst_heap_row *rows; /* most bytes first */
    size_t count;
    uint64_t objects, object_bytes;
    uint64_t buffers, buffer_bytes; /* small blocks that are no objects: tables, text, memory of C code */
    /* of CPython's allocator, beside blocks in use */
    uint64_t free_bytes, unused_bytes, overhead_bytes;
};

void hst_heap_summary_release(struct hst_heap_summary *summary);

#endif
