/* Which pages a process writes to while it goes on, as the system marks them: pages are protected, and what
 * the process writes to loses its protection, with one short fault and no copy (Linux 6.7 and later).
 *
 * For that the process has to open a userfaultfd once; hasten holds it, and it is the process's no more: when
 * hasten ends, however it ends, the system takes all protection away. */
#ifndef HST_TARGET_WRITTEN_H
#define HST_TARGET_WRITTEN_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "target/maps.h"

struct hst_written_range {
    hst_raddr start, end;
};
struct hst_written {
    int uffd, pagemap;
    struct hst_written_range *ranges; /* that are watched */
    size_t count, capacity;
    uint64_t pages; /* protected ones that were written to */
};

/* HST_E_UNSUPPORTED, before the process is touched: this system cannot, or the process could come to harm;
 * err says how, and what to try. One of its threads stands still for some tenths of a millisecond. */
enum hst_status hst_written_begin(int pid, struct hst_written *ret_written,
                                  struct hst_error *err) HST_MUST_CHECK;
/* Watches a mapping and protects the pages that it has now. What cannot be watched counts as written. */
enum hst_status hst_written_watch(struct hst_written *written, hst_raddr start, hst_raddr end) HST_MUST_CHECK;

/* is_written: since it was protected, or it never was. A status that it returns ends the visit. */
typedef enum hst_status hst_written_visitor(void *context, hst_raddr start, hst_raddr end, int is_written);
/* All pages of [start, end) that the process has, in order. HST_E_UNSUPPORTED: it cannot be told. */
enum hst_status hst_written_visit(struct hst_written *written, hst_raddr start, hst_raddr end,
                                  hst_written_visitor *visit, void *context) HST_MUST_CHECK;
/* Those alone that were written to in what is watched; they are protected again before visit is told. */
enum hst_status hst_written_visit_again(struct hst_written *written, hst_written_visitor *visit,
                                        void *context) HST_MUST_CHECK;
/* Takes the protection away, bit by bit: the process may wait for a millisecond at a time. */
void hst_written_end(struct hst_written *written);

/* What one such fault costs, measured now on memory of our own; 0: this system does not tell what is written.
 */
uint64_t hst_written_fault_ns(void);

#endif
