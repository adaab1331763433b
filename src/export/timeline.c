/* Follows where each thread is, so that a call that is left has a name as well. */
#include "export/timeline.h"

#include "base/memory.h"

struct walk {
    struct hst_export *run;
    uint32_t *open; /* by thread: its stack */
    hst_export_event_visitor *visit;
    void *context;
};

static int is_wanted(const struct hst_export *run, uint32_t thread, uint32_t stack)
{
    const struct hst_sample sample = {.thread = thread, .stack = stack, .state = HST_STATE_RUNNING};
    return run->keep == NULL || run->keep(run->keep_context, &sample);
}

static enum hst_status pass_on(void *context, const struct hst_call_event *event)
{
    struct walk *walk = context;
    const struct hst_profile *profile = walk->run->profile;
    if (event->thread >= profile->thread_count || event->stack >= profile->stack_count)
        return HST_E_CORRUPT;
    int enters = event->kind == HST_CALL_ENTER;
    struct hst_call_event call = *event;
    call.stack = enters ? event->stack : walk->open[event->thread];
    walk->open[event->thread] = event->stack;
    if (call.stack == 0 || !is_wanted(walk->run, call.thread, call.stack))
        return HST_OK;
    walk->run->kept += (uint64_t)enters;
    return walk->visit(walk->context, &call);
}

enum hst_status hst_timeline_walk(struct hst_export *run, hst_export_event_visitor *visit, void *context,
                                  struct hst_error *err)
{
    struct hst_error inner = {0};
    HST_CLEANUP_FREE uint32_t *open = hst_alloc_zero(run->profile->thread_count + 1, sizeof *open);
    struct walk walk = {run, open, visit, context};
    if (open == NULL)
        return hst_export_nomem(err);
    run->kept = 0;
    enum hst_status status = run->timeline->read(run->timeline->context, pass_on, &walk, &inner);
    if (status == HST_OK)
        return HST_OK;
    if (inner.text[0] == '\0')
        return status == HST_E_NOMEM ? hst_export_nomem(err)
                                     : hst_error_set(err, status, "the timeline cannot be exported: %s",
                                                     hst_status_name(status));
    if (err != NULL)
        *err = inner;
    return status;
}
