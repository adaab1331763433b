/* Where the time went by what threads were doing. */
#include "report/parts.h"

#include <stdio.h>

#include "analyze/syscall.h"

#define STATE_ROWS 6

static void describe(const struct hst_state_total *row, char *text, size_t size)
{
    static const char *const sentences[] = {
        [HST_ACTIVITY_RUNNING] = "running on a CPU",
        [HST_ACTIVITY_GC] = "in the garbage collector",
        [HST_ACTIVITY_RUNNABLE] = "ready to run, but no CPU was free",
        [HST_ACTIVITY_GIL_WAIT] = "waiting for the interpreter lock (GIL)",
        [HST_ACTIVITY_BLOCKED] = "blocked",
        [HST_ACTIVITY_IDLE] = "idle for more than a second",
        [HST_ACTIVITY_UNKNOWN] = "in a state that could not be seen",
    };
    const char *name = row->detail > 0 ? hst_syscall_name(row->detail - 1u) : NULL;
    const char *meaning = name != NULL ? hst_syscall_meaning(name) : NULL;
    int length = snprintf(text, size, "%s", sentences[row->activity]);
    if (length < 0 || (size_t)length >= size)
        return;
    if (name != NULL)
        (void)snprintf(text + length, size - (size_t)length, " in %s%s%s%s", name,
                       meaning != NULL ? " (" : "", meaning != NULL ? meaning : "",
                       meaning != NULL ? ")" : "");
    else if (row->detail > 0)
        (void)snprintf(text + length, size - (size_t)length, " in system call %u", row->detail - 1u);
    else if (row->activity == HST_ACTIVITY_BLOCKED)
        (void)snprintf(text + length, size - (size_t)length, " in a system call");
}

enum hst_status hst_page_states(struct hst_page *page, const struct hst_states *states)
{
    hst_page_title(page, "What the threads did");
    hst_buffer_add_byte(page->out, '\n');
    double whole = states->all.ns > 0 ? (double)states->all.ns : 1;
    uint64_t rest_ns = 0;
    for (size_t i = 0; i < states->count; i++) {
        const struct hst_state_total *row = &states->rows[i];
        double share = (double)row->sum.ns / whole;
        if (i >= STATE_ROWS || share < 0.0005) {
            rest_ns += row->sum.ns;
            continue;
        }
        char text[160];
        describe(row, text, sizeof text);
        hst_buffer_add_fmt(page->out, " %s %s%s%s %11s   %s\n", hst_cell_percent(share).text,
                           hst_page_ink(page, HST_INK_CYAN), hst_cell_bar(share, 5, page->style).text,
                           hst_page_ink(page, HST_INK_RESET), hst_cell_duration(row->sum.ns).text, text);
    }
    if (rest_ns > 0 && (double)rest_ns >= 0.0005 * whole)
        hst_buffer_add_fmt(page->out, " %s %5s %11s   all else\n",
                           hst_cell_percent((double)rest_ns / whole).text, "",
                           hst_cell_duration(rest_ns).text);
    return hst_buffer_status(page->out);
}
