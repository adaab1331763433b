/* `show --threads`: one row a thread. */
#include "report/parts.h"

#include <stdio.h>

#define THREAD_ROWS 30

static struct hst_cell part(const struct hst_thread_total *row, enum hst_activity activity)
{
    uint64_t ns = row->by_activity[activity].ns;
    if (ns == 0)
        return (struct hst_cell){"      -"};
    return hst_cell_percent((double)ns / (double)row->all.ns);
}

static void add_row(struct hst_page *page, const struct hst_thread_total *row)
{
    const struct hst_profile *profile = page->source->profile;
    const struct hst_thread *thread = &profile->threads[row->thread];
    const char *name = hst_profile_text(profile, thread->name);
    hst_buffer_add_fmt(page->out, " %11s %10s", hst_cell_duration(row->all.ns).text,
                       hst_cell_duration(thread->cpu_ns).text);
    hst_buffer_add_fmt(page->out, "  %s %s %s %s %s %s", part(row, HST_ACTIVITY_RUNNING).text,
                       part(row, HST_ACTIVITY_GC).text, part(row, HST_ACTIVITY_RUNNABLE).text,
                       part(row, HST_ACTIVITY_GIL_WAIT).text, part(row, HST_ACTIVITY_BLOCKED).text,
                       part(row, HST_ACTIVITY_IDLE).text);
    hst_buffer_add_fmt(page->out, "  %7u  ", thread->native_id);
    hst_text_add(page->out, name[0] != '\0' ? name : "(no name)",
                 page->style->width > 100 ? (size_t)page->style->width - 82 : 17, HST_CUT_END, 0,
                 page->style);
    hst_buffer_add_byte(page->out, '\n');
}

enum hst_status hst_page_threads(struct hst_page *page, struct hst_error *err)
{
    struct hst_filter filter = page->options->filter;
    filter.mode = HST_MODE_ALL;
    struct hst_view all;
    HST_TRY(hst_view_init(&all, page->source->profile, page->source->aggregate, &filter, err));
    struct hst_states states;
    enum hst_status status = hst_states_init(&states, &all);
    hst_view_release(&all);
    if (status != HST_OK)
        return status;
    hst_page_header(page);
    hst_page_title(page, "Threads");
    hst_buffer_add_text(page->out, "  all time, the busiest first\n");
    hst_buffer_add_fmt(page->out,
                       "%s     watched        CPU  running      GC   no CPU  GIL wait blocked    idle"
                       "  thread%s\n",
                       hst_page_ink(page, HST_INK_DIM), hst_page_ink(page, HST_INK_RESET));
    uint64_t rows = hst_page_rows(page, THREAD_ROWS);
    uint32_t process = HST_ID_NONE;
    for (size_t i = 0; i < states.thread_count && i < rows; i++) {
        const struct hst_thread *thread = &page->source->profile->threads[states.threads[i].thread];
        if (page->source->profile->process_count > 1 && thread->process != process) {
            const struct hst_process *row = &page->source->profile->processes[process = thread->process];
            hst_buffer_add_fmt(page->out, "%sprocess %u  ", hst_page_ink(page, HST_INK_BOLD), row->pid);
            hst_text_add(page->out, hst_profile_text(page->source->profile, row->command), 80, HST_CUT_END, 0,
                         page->style);
            hst_buffer_add_fmt(page->out, "%s\n", hst_page_ink(page, HST_INK_RESET));
        }
        add_row(page, &states.threads[i]);
    }
    if (states.thread_count > rows)
        hst_buffer_add_fmt(page->out, "  ... %zu more threads (-n ROWS)\n",
                           states.thread_count - (size_t)rows);
    hst_page_title(page, "Next");
    hst_buffer_add_byte(page->out, '\n');
    char text[64];
    (void)snprintf(text, sizeof text, " %llu --thread NUMBER|NAME",
                   (unsigned long long)page->source->info->number);
    hst_page_command(page, "show", text, "the report of one thread");
    hst_states_release(&states);
    return HST_OK;
}
