/* A stored run -> its info, its profile, and its samples one after the other. Everything in the file is
 * checked before it is handed out. */
#ifndef HST_STORE_RUN_READER_H
#define HST_STORE_RUN_READER_H

#include "base/status.h"
#include "event/sample.h"
#include "model/call_sums.h"
#include "model/calls.h"
#include "model/lines.h"
#include "model/profile.h"
#include "model/run.h"

struct hst_store;

enum hst_status hst_run_read_info(struct hst_store *store, uint64_t number, struct hst_run_info *ret_info,
                                  struct hst_error *err) HST_MUST_CHECK;
/* Fills an initialised, empty profile and validates it. */
enum hst_status hst_run_read_profile(struct hst_store *store, uint64_t number, struct hst_profile *profile,
                                     struct hst_error *err) HST_MUST_CHECK;
/* Calls visit for every sample: thread by thread inside a block, blocks in order of time; within a thread in
 * order of time. A status other than HST_OK from visit ends the walk and is returned. */
typedef enum hst_status hst_sample_visitor(void *context, const struct hst_sample *sample);
enum hst_status hst_run_read_samples(struct hst_store *store, uint64_t number,
                                     const struct hst_profile *profile, hst_sample_visitor *visit,
                                     void *context, struct hst_error *err) HST_MUST_CHECK;

/* Fills initialised, empty lines: of a run of lines; none of another. */
enum hst_status hst_run_read_lines(struct hst_store *store, uint64_t number,
                                   const struct hst_profile *profile, struct hst_lines *lines,
                                   struct hst_error *err) HST_MUST_CHECK;
/* Fills initialised, empty calls: of a traced run; none of another. */
enum hst_status hst_run_read_calls(struct hst_store *store, uint64_t number,
                                   const struct hst_profile *profile, struct hst_calls *calls,
                                   struct hst_error *err) HST_MUST_CHECK;
/* Where an imported run is from, and its sums. */
enum hst_status hst_run_read_imported(struct hst_store *store, uint64_t number,
                                      const struct hst_profile *profile, struct hst_imported *ret_imported,
                                      struct hst_error *err) HST_MUST_CHECK;

#endif
