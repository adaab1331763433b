/* Profile and samples -> one run in a store.  Tables are written as they grow, samples in compressed blocks;
 * a flush makes everything so far durable against the death of this process (not of the machine). Bytes and
 * schema: docs/format.md. */
#ifndef HST_STORE_RUN_WRITER_H
#define HST_STORE_RUN_WRITER_H

#include "base/status.h"
#include "event/call_event.h"
#include "event/sample.h"
#include "model/call_sums.h"
#include "model/calls.h"
#include "model/lines.h"
#include "model/profile.h"
#include "model/run.h"

struct hst_store;
struct hst_run_writer;

/* Begins a run: gives it a number (info->number) and the status RECORDING. */
enum hst_status hst_run_writer_new(struct hst_store *store, struct hst_run_info *info,
                                   struct hst_run_writer **ret_writer, struct hst_error *err) HST_MUST_CHECK;
/* Takes one sample into the current block of its thread. Cheap (tens of ns): encodes, never touches the disk.
 */
enum hst_status hst_run_writer_add(struct hst_run_writer *writer,
                                   const struct hst_sample *sample) HST_MUST_CHECK;
/* The same of an event of a timeline (event/call_event.h). */
enum hst_status hst_run_writer_event(struct hst_run_writer *writer,
                                     const struct hst_call_event *event) HST_MUST_CHECK;
/* Of a traced run: what flush and finish write besides. It stays the caller's and may grow. */
void hst_run_writer_set_calls(struct hst_run_writer *writer, const struct hst_calls *calls);
/* The same of a run of lines. */
void hst_run_writer_set_lines(struct hst_run_writer *writer, const struct hst_lines *lines);
/* Of an imported run: what finish writes besides. It stays the caller's. */
void hst_run_writer_set_imported(struct hst_run_writer *writer, const struct hst_imported *imported);
/* Bytes waiting in memory: a caller flushes when it likes, at least once a second. */
size_t hst_run_writer_pending_bytes(const struct hst_run_writer *writer);
/* Writes new rows of profile, the pending samples and info (duration, cost so far) in one transaction. */
enum hst_status hst_run_writer_flush(struct hst_run_writer *writer, const struct hst_profile *profile,
                                     const struct hst_run_info *info, struct hst_error *err) HST_MUST_CHECK;
/* Flushes, sets info->status, and closes the run. */
enum hst_status hst_run_writer_finish(struct hst_run_writer *writer, const struct hst_profile *profile,
                                      const struct hst_run_info *info, struct hst_error *err) HST_MUST_CHECK;
void hst_run_writer_free(struct hst_run_writer *writer);

#endif
