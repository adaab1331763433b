/* Headings and rows of the live tables; columns go, the least needed first, where the screen is narrow. */
#include <stdio.h>
#include <string.h>

#include "analyze/syscall.h"
#include "report/cell.h"
#include "report/top_text.h"

#define HOT_SHARE 0.1
#define NAME_WIDTH_MIN 12
/* Widths from which more columns fit. */
enum { WIDTH_ALL = 100, WIDTH_SINCE = 64, WIDTH_TOTAL = 40 };
enum { THREAD_WIDTH_ROOMY = 112, THREAD_WIDTH_ALL = 100, THREAD_WIDTH_SHARES = 66 };

static void finish_line(struct hst_top_page *page, const struct hst_top_scene *scene, const char *text,
                        enum hst_top_ink ink)
{
    hst_text_add(&page->text, text, (size_t)scene->style->width, HST_CUT_END, 0, scene->style);
    hst_top_line_end(page, ink);
}

/* Columns of threads: the wider screen also says how long a thread wanted a CPU and had none. */
struct thread_layout {
    int shares, no_cpu;
    int name_width, state_width, share_columns;
};

static struct thread_layout thread_layout_for(int width)
{
    struct thread_layout layout = {.shares = width >= THREAD_WIDTH_SHARES,
                                   .no_cpu = width >= THREAD_WIDTH_ALL,
                                   .name_width = width >= THREAD_WIDTH_ALL ? 16 : 12,
                                   .state_width = width >= THREAD_WIDTH_ROOMY ? 24
                                                  : width >= THREAD_WIDTH_ALL ? 16
                                                                              : 13};
    layout.share_columns = layout.no_cpu ? 32 : layout.shares ? 24 : 0;
    return layout;
}

static void thread_headings(struct hst_top_page *page, const struct hst_top_scene *scene)
{
    char text[160], shares[64] = "";
    struct thread_layout layout = thread_layout_for(scene->style->width);
    if (layout.shares)
        (void)snprintf(shares, sizeof shares, " %7s%s %7s %7s", "running", layout.no_cpu ? "  no CPU" : "",
                       "no GIL", "waiting");
    (void)snprintf(text, sizeof text, " %7s  %-*s%s  %-*s  %s", "tid", layout.name_width, "thread", shares,
                   layout.state_width, "state", "in");
    finish_line(page, scene, "", HST_TOP_INK_PLAIN);
    finish_line(page, scene, text, HST_TOP_INK_HEADING);
}

void hst_top_text_headings(struct hst_top_page *page, const struct hst_top_scene *scene,
                           const struct hst_top_choice *choice)
{
    int width = scene->style->width;
    const char *what = choice->view == HST_TOP_LINES ? "line" : "function";
    char text[160];
    if (choice->view == HST_TOP_THREADS) {
        thread_headings(page, scene);
        return;
    }
    finish_line(page, scene,
                width >= WIDTH_ALL     ? "      --- now ---    -------------- since start ------------"
                : width >= WIDTH_SINCE ? "      --- now ---    ------- since start ------"
                : width >= WIDTH_TOTAL ? "      --- now ---    since start"
                                       : "     now",
                HST_TOP_INK_HEADING);
    if (width >= WIDTH_ALL)
        (void)snprintf(text, sizeof text, " %7s %7s  %7s %7s %11s %11s  %s", "self", "total", "self", "total",
                       "self", "total", what);
    else if (width >= WIDTH_SINCE)
        (void)snprintf(text, sizeof text, " %7s %7s  %7s %7s %11s  %s", "self", "total", "self", "total",
                       "self", what);
    else if (width >= WIDTH_TOTAL)
        (void)snprintf(text, sizeof text, " %7s %7s %11s  %s", "self", "total", "self", what);
    else
        (void)snprintf(text, sizeof text, " %7s  %s", "self", what);
    finish_line(page, scene, text, HST_TOP_INK_HEADING);
}

static double share(uint64_t part_ns, uint64_t whole_ns)
{
    return whole_ns > 0 ? (double)part_ns / (double)whole_ns : 0;
}

static struct hst_cell percent(uint64_t part_ns, uint64_t whole_ns)
{
    return part_ns == 0 ? (struct hst_cell){"      -"} : hst_cell_percent(share(part_ns, whole_ns));
}

/* "name  file:12" in what is left of the line: the name has the first call on it. */
static void add_place(struct hst_top_page *page, const struct hst_top_scene *scene,
                      const struct hst_top_live *live, uint32_t function, uint32_t file, uint32_t line,
                      int line_first, size_t width)
{
    struct hst_cell name = hst_cell_function(&live->profile, function);
    char place[HST_CELL_BYTES + 16];
    (void)snprintf(place, sizeof place, "%s:%u",
                   hst_cell_file(hst_profile_text(&live->profile, file), live->info.directory).text, line);
    const char *first = line_first ? place : name.text, *second = line_first ? name.text : place;
    size_t taken = hst_text_width(first) < width ? hst_text_width(first) : width;
    hst_text_add(&page->text, first, width, line_first ? HST_CUT_START : HST_CUT_END, 0, scene->style);
    if (taken + 2 + 6 > width)
        return;
    hst_buffer_add_text(&page->text, "  ");
    hst_text_add(&page->text, second, width - taken - 2, line_first ? HST_CUT_END : HST_CUT_START, 0,
                 scene->style);
}

static void add_time_row(struct hst_top_page *page, const struct hst_top_scene *scene,
                         const struct hst_top_live *live, const struct hst_top_table *table,
                         const struct hst_top_choice *choice, const struct hst_top_row *row)
{
    size_t begin = page->text.length, width = (size_t)scene->style->width;
    const uint64_t *self = row->self_ns, *total = row->total_ns, *whole = table->whole_ns;
    hst_buffer_add_fmt(&page->text, " %s", percent(self[HST_TOP_NOW], whole[HST_TOP_NOW]).text);
    if (width >= WIDTH_TOTAL)
        hst_buffer_add_fmt(&page->text, " %s", percent(total[HST_TOP_NOW], whole[HST_TOP_NOW]).text);
    if (width >= WIDTH_SINCE)
        hst_buffer_add_fmt(&page->text, "  %s %s", percent(self[HST_TOP_SINCE], whole[HST_TOP_SINCE]).text,
                           percent(total[HST_TOP_SINCE], whole[HST_TOP_SINCE]).text);
    if (width >= WIDTH_TOTAL)
        hst_buffer_add_fmt(&page->text, " %11s", hst_cell_duration(self[HST_TOP_SINCE]).text);
    if (width >= WIDTH_ALL)
        hst_buffer_add_fmt(&page->text, " %11s", hst_cell_duration(total[HST_TOP_SINCE]).text);
    hst_buffer_add_text(&page->text, "  ");
    size_t used = page->text.length - begin;
    if (used < width)
        add_place(page, scene, live, row->function, row->file, row->line, choice->view == HST_TOP_LINES,
                  width - used);
    hst_top_line_end(page, share(self[HST_TOP_NOW], whole[HST_TOP_NOW]) >= HOT_SHARE ? HST_TOP_INK_HOT
                           : total[HST_TOP_NOW] == 0                                 ? HST_TOP_INK_REST
                                                                                     : HST_TOP_INK_PLAIN);
}

void hst_top_state_text(const struct hst_top_seen *seen, char *ret_text, size_t size)
{
    const char *call = seen->detail > 0 ? hst_syscall_name(seen->detail - 1u) : NULL;
    int holds = (seen->flags & HST_SAMPLE_HOLDS_GIL) != 0;
    switch (seen->state) {
    case HST_STATE_RUNNING:
        (void)snprintf(ret_text, size, "%s",
                       seen->flags & HST_SAMPLE_IN_GC ? "in the GC"
                       : holds                        ? "running"
                                                      : "running, no GIL");
        break;
    case HST_STATE_RUNNABLE:
        (void)snprintf(ret_text, size, "wants a CPU");
        break;
    case HST_STATE_GIL_WAIT:
        (void)snprintf(ret_text, size, "wants the GIL");
        break;
    case HST_STATE_BLOCKED:
        (void)snprintf(ret_text, size, "%s%s", call != NULL ? "in " : "", call != NULL ? call : "blocked");
        break;
    case HST_STATE_IDLE:
        (void)snprintf(ret_text, size, "idle%s%s", call != NULL ? " in " : "", call != NULL ? call : "");
        break;
    case HST_STATE_GONE:
        (void)snprintf(ret_text, size, "ended");
        break;
    default:
        (void)snprintf(ret_text, size, "not known");
    }
}

static void add_thread_row(struct hst_top_page *page, const struct hst_top_scene *scene,
                           const struct hst_top_live *live, const struct hst_top_thread_row *row)
{
    const struct hst_profile *profile = &live->profile;
    const struct hst_thread *thread = &profile->threads[row->thread];
    const char *name = hst_profile_text(profile, thread->name);
    struct thread_layout layout = thread_layout_for(scene->style->width);
    size_t begin = page->text.length, width = (size_t)scene->style->width;
    char state[64];
    const uint64_t *by = row->by_activity_ns;
    uint64_t running = by[HST_ACTIVITY_RUNNING] + by[HST_ACTIVITY_GC],
             waiting = by[HST_ACTIVITY_BLOCKED] + by[HST_ACTIVITY_IDLE];
    hst_top_state_text(&row->seen, state, sizeof state);
    hst_buffer_add_fmt(&page->text, " %7u  ", thread->native_id);
    size_t columns = page->text.length - begin;
    hst_text_add(&page->text, name[0] != '\0' ? name : "(no name)", (size_t)layout.name_width, HST_CUT_END, 1,
                 scene->style);
    if (layout.shares)
        hst_buffer_add_fmt(&page->text, " %s", percent(running, row->all_ns).text);
    if (layout.no_cpu)
        hst_buffer_add_fmt(&page->text, " %s", percent(by[HST_ACTIVITY_RUNNABLE], row->all_ns).text);
    if (layout.shares)
        hst_buffer_add_fmt(&page->text, " %s %s", percent(by[HST_ACTIVITY_GIL_WAIT], row->all_ns).text,
                           percent(waiting, row->all_ns).text);
    hst_buffer_add_text(&page->text, "  ");
    hst_text_add(&page->text, state, (size_t)layout.state_width, HST_CUT_END, 1, scene->style);
    hst_buffer_add_text(&page->text, "  ");
    columns += (size_t)(layout.name_width + layout.share_columns + layout.state_width) + 4;
    if (row->function != HST_ID_NONE && columns < width)
        add_place(page, scene, live, row->function, profile->functions[row->function].file, row->line, 0,
                  width - columns);
    hst_top_line_end(page, running >= row->all_ns / 2 && running > 0 ? HST_TOP_INK_HOT
                           : row->seen.state == HST_STATE_IDLE       ? HST_TOP_INK_REST
                                                                     : HST_TOP_INK_PLAIN);
}

void hst_top_text_row(struct hst_top_page *page, const struct hst_top_scene *scene,
                      const struct hst_top_live *live, const struct hst_top_table *table,
                      const struct hst_top_choice *choice, uint32_t index)
{
    if (choice->view == HST_TOP_THREADS)
        add_thread_row(page, scene, live, &table->threads[index]);
    else
        add_time_row(page, scene, live, table, choice,
                     choice->view == HST_TOP_LINES ? &table->lines[index] : &table->functions[index]);
}
