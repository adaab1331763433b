/* The memory that is a program's own, and which pages of it the program has. */
#ifndef HST_HEAP_PRESENT_H
#define HST_HEAP_PRESENT_H

#include "base/status.h"
#include "target/maps.h"

/* What it may write to and does not share. */
int hst_is_own_memory(const struct hst_mapping *mapping);
/* A page of a file that was not written yet is no page of the program, but has contents. */
int hst_is_file_memory(const struct hst_mapping *mapping);

enum { HST_GAP_PAGES = 4 }; /* between two runs: so few are read along */

typedef enum hst_status hst_run_visitor(void *context, hst_raddr start, hst_raddr end);
/* All runs of pages of all mappings that are its own, in order; of files, whole mappings. pid 0: of a core
 * file, whose pages are all there. */
enum hst_status hst_present_visit(int pid, const struct hst_maps *maps, hst_run_visitor *visit,
                                  void *context) HST_MUST_CHECK;

#endif
