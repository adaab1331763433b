/* The upper lines of a live page: which program, how it is measured, what the interpreter does as a whole,
 * and what the table below shows. */
#include <stdio.h>
#include <string.h>

#include "report/cell.h"
#include "report/top_text.h"

static void add_cut(struct hst_top_page *page, const struct hst_top_scene *scene, const char *text,
                    enum hst_top_ink ink)
{
    hst_text_add(&page->text, text, (size_t)scene->style->width, HST_CUT_END, 0, scene->style);
    hst_top_line_end(page, ink);
}

/* Processes that are there now, and the interpreter of the first. */
static const char *count_processes(const struct hst_top_live *live, size_t *ret_others)
{
    const struct hst_profile *profile = &live->profile;
    *ret_others = profile->process_count > 0 ? profile->process_count - 1 : 0;
    if (profile->process_count == 0)
        return "no Python yet";
    return hst_profile_text(profile, profile->processes[0].interpreter);
}

static void add_title(struct hst_top_page *page, const struct hst_top_scene *scene,
                      const struct hst_top_live *live)
{
    char text[1400], others[64] = "";
    size_t count;
    const char *interpreter = count_processes(live, &count);
    if (count > 0)
        (void)snprintf(others, sizeof others, " and %zu more", count);
    (void)snprintf(text, sizeof text, "hasten top  process %d%s  %s  %s", scene->pid, others, interpreter,
                   scene->command);
    add_cut(page, scene, text, HST_TOP_INK_TITLE);
}

static void add_measurement(struct hst_top_page *page, const struct hst_top_scene *scene,
                            const struct hst_top_table *table)
{
    const struct hst_top_shares *shares = &table->shares;
    char text[512];
    int length = snprintf(text, sizeof text, "%s watched  %.0f samples/s  %.1f %% dropped  %zu thread%s",
                          hst_cell_duration(shares->watched_ns).text, shares->samples_per_s,
                          100 * shares->dropped, shares->threads, shares->threads == 1 ? "" : "s");
    if (scene->output != NULL && length > 0 && (size_t)length < sizeof text)
        (void)snprintf(text + length, sizeof text - (size_t)length, "  its output: %s", scene->output);
    add_cut(page, scene, text, HST_TOP_INK_PLAIN);
}

static void add_shares(struct hst_top_page *page, const struct hst_top_scene *scene,
                       const struct hst_top_live *live, const struct hst_top_table *table)
{
    const struct hst_top_shares *shares = &table->shares;
    char text[512], gil[128];
    size_t others;
    if (strstr(count_processes(live, &others), "free-threaded") != NULL)
        (void)snprintf(gil, sizeof gil, "no GIL");
    else
        (void)snprintf(gil, sizeof gil, "GIL held %.1f %%  GIL wait %.1f %%", 100 * shares->gil,
                       100 * shares->gil_wait);
    (void)snprintf(text, sizeof text, "CPU %.1f %%  %s  GC %.1f %%  (last %s)", 100 * shares->cpu, gil,
                   100 * shares->gc, hst_cell_duration(shares->now_ns).text);
    add_cut(page, scene, text, HST_TOP_INK_PLAIN);
}

static void add_subject(struct hst_top_page *page, const struct hst_top_scene *scene,
                        const struct hst_top_table *table, const struct hst_top_choice *choice)
{
    static const char *const what[] = {"functions", "lines", "threads"};
    static const char *const thread_orders[] = {"the busiest first", "the most CPU first", "", "by name"};
    char text[320], search[96] = "", order[64];
    const char *time = choice->window == HST_TOP_NOW ? "now" : "since start";
    if (choice->search[0] != '\0')
        (void)snprintf(search, sizeof search, ", %zu with \"%s\"", table->shown_count, choice->search);
    if (choice->view == HST_TOP_THREADS)
        (void)snprintf(order, sizeof order, "%s", thread_orders[choice->sort]);
    else if (choice->sort == HST_SORT_NAME)
        (void)snprintf(order, sizeof order, "by name");
    else
        (void)snprintf(order, sizeof order, "by %s %s", hst_sort_names[choice->sort], time);
    if (choice->view == HST_TOP_THREADS)
        (void)snprintf(text, sizeof text, "%s, %s%s", what[choice->view], order, search);
    else
        (void)snprintf(text, sizeof text, "%s, %s%s; %s%s", what[choice->view], order, search,
                       hst_mode_description(choice->filter.mode),
                       choice->filter.fold ? "; library code folded" : "");
    add_cut(page, scene, text, HST_TOP_INK_PLAIN);
}

/* What a person must know before believing that the figures move. */
static void add_state(struct hst_top_page *page, const struct hst_top_scene *scene,
                      const struct hst_top_live *live)
{
    char text[640] = "";
    if (scene->ending[0] != '\0')
        (void)snprintf(text, sizeof text, "PROFILING COMPLETE: %s%s", scene->ending,
                       scene->height != 0 ? "; q quits" : "");
    else if (scene->frozen)
        (void)snprintf(text, sizeof text, "FROZEN: p goes on");
    else if (live->waiting.status != HST_OK)
        (void)snprintf(text, sizeof text, "waiting for a Python: %s",
                       live->waiting.text[0] != '\0' ? live->waiting.text
                                                     : hst_status_name(live->waiting.status));
    else if (scene->note[0] != '\0')
        (void)snprintf(text, sizeof text, "%s", scene->note);
    add_cut(page, scene, text, text[0] != '\0' ? HST_TOP_INK_ALERT : HST_TOP_INK_PLAIN);
}

void hst_top_text_header(struct hst_top_page *page, const struct hst_top_scene *scene,
                         const struct hst_top_live *live, const struct hst_top_table *table,
                         const struct hst_top_choice *choice)
{
    add_title(page, scene, live);
    add_measurement(page, scene, table);
    add_shares(page, scene, live, table);
    add_subject(page, scene, table, choice);
    add_state(page, scene, live);
}
