/* A dump of meliae, an object a line (meliae_line.h), plain or gzip -> a heap.  What such a dump does not say
 * is made up for: the places of references are their numbers, those of a dict keys and values; the
 * roots are the modules, and the objects that no other one refers to.  A line that makes no sense is counted
 * and passed. */
#ifndef HST_IMPORT_MELIAE_READER_H
#define HST_IMPORT_MELIAE_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/heap.h"

#define HST_MELIAE_SHOWN 5 /* of the lines that make no sense, so many are named */

struct hst_meliae_bad_line {
    uint64_t line; /* from 1 */
    size_t byte;   /* in the line, from 1; 0: all of it */
    const char *why;
};

/* What was met on the way. */
struct hst_meliae_summary {
    uint64_t lines;
    uint64_t bad_lines;          /* of them */
    uint64_t repeated;           /* objects whose address was there before: the first counts */
    uint64_t unknown_references; /* that lead to no object of the dump; not in the heap */
    uint64_t modules, unheld;    /* roots */
    int is_cut;                  /* the compressed file ends, or is damaged, before its end */
    struct hst_meliae_bad_line bad[HST_MELIAE_SHOWN]; /* the first */
};

/* ret_heap, which is not yet initialised, is the caller's to release when it went well. HST_E_INVALID: the
 * file holds no object. */
enum hst_status hst_meliae_read(const char *path, struct hst_heap *ret_heap,
                                struct hst_meliae_summary *ret_summary, struct hst_error *err) HST_MUST_CHECK;
/* The same of bytes that are not compressed; name is the file's, for errors. */
enum hst_status hst_meliae_read_bytes(const char *name, const void *data, size_t length,
                                      struct hst_heap *ret_heap, struct hst_meliae_summary *ret_summary,
                                      struct hst_error *err) HST_MUST_CHECK;

#endif
