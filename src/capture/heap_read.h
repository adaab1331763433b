/* A running process, or a core file -> every object in it. */
#ifndef HST_CAPTURE_HEAP_READ_H
#define HST_CAPTURE_HEAP_READ_H

#include <stdint.h>

#include "base/status.h"
#include "model/heap.h"

struct hst_heap_options {
    uint64_t bytes_max; /* of the copy; 0: four fifths of the memory that is free */
    const char *root;   /* core: prefix of the names of the program's files, or "" */
    /* Of a process: it stands still for the copy; forked: the copy is made of a copy-on-write child;
     * precopied: while it goes on, and what it wrote meanwhile when it stands still; live: what changes
     * meanwhile may be missing or wrong. */
    enum hst_heap_way way;
    /* Called before the process is held still, with what will be copied and how long that may take. */
    void (*announce)(void *context, uint64_t bytes, uint64_t pause_ns);
    void *context;
};

/* On failure err says what was found and what to try. */
enum hst_status hst_heap_read_process(int pid, const struct hst_heap_options *options,
                                      struct hst_heap *ret_heap, struct hst_error *err) HST_MUST_CHECK;
enum hst_status hst_heap_read_core(const char *path, const struct hst_heap_options *options,
                                   struct hst_heap *ret_heap, struct hst_error *err) HST_MUST_CHECK;

#endif
