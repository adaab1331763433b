/* The page as a whole: header, headings, as many rows as fit, the keys; or the help. */
#include "report/top_text.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/cell.h"

#define PAGE_BYTES_MAX (4u << 20)

static const char *const help_lines[] = {
    "L            functions or lines of source",
    "t            threads, and back",
    "s            order: self, total, name",
    "w            order by the last seconds, or by all since the start",
    "m            which time counts: wall, cpu, gil, gil-wait, blocked, gc, idle, all",
    "f            library code folded into the code that calls it, or on its own",
    "/ TEXT Enter only rows with this text in the name or file; Esc: all again",
    "p, space     freeze the picture, and go on (the measurement goes on anyway)",
    "r            reset: count from now on",
    "arrows, PgUp, PgDn, Home, End",
    "             scroll",
    "q            quit; a program that was started here is asked to end",
    "",
    "self         time in the function's own code (and in library code that it calls, when folded)",
    "total        self and all that it calls",
    "now          the last 5 seconds",
    "CPU, GIL ... parts of the wall time of the last 5 seconds: two busy threads are 200 % CPU;",
    "             GIL wait adds up over all threads",
    "",
    "any key      back",
};

void hst_top_page_init(struct hst_top_page *page)
{
    *page = (struct hst_top_page){0};
    hst_buffer_init(&page->text, PAGE_BYTES_MAX);
}

void hst_top_page_release(struct hst_top_page *page)
{
    hst_buffer_release(&page->text);
    hst_free(page->lines);
    *page = (struct hst_top_page){0};
}

/* A line begins where the one before it ended. */
void hst_top_line_end(struct hst_top_page *page, enum hst_top_ink ink)
{
    hst_buffer_add_byte(&page->text, '\0');
    if (page->text.failed || !HST_RESERVE(page->lines, page->capacity, page->count + 2)) {
        page->text.failed = 1;
        return;
    }
    page->lines[page->count++].ink = ink;
    page->lines[page->count] = (struct hst_top_line){.begin = page->text.length};
}

static void add_help(struct hst_top_page *page, const struct hst_top_scene *scene)
{
    size_t width = (size_t)scene->style->width;
    for (size_t i = 0; i < HST_ARRAY_LENGTH(help_lines); i++) {
        if (scene->height != 0 && page->count >= scene->height)
            return;
        hst_text_add(&page->text, help_lines[i], width, HST_CUT_END, 0, scene->style);
        hst_top_line_end(page, HST_TOP_INK_PLAIN);
    }
}

static void add_keys(struct hst_top_page *page, const struct hst_top_scene *scene,
                     const struct hst_top_choice *choice)
{
    char text[256];
    if (scene->typing)
        (void)snprintf(text, sizeof text, "search: %s_   (Enter: take it, Esc: all rows)", choice->search);
    else
        (void)snprintf(
            text, sizeof text,
            "q quit  L lines  t threads  s order  w now/all  m mode  / search  p %s  r reset  ? help",
            scene->frozen ? "go on" : "freeze");
    hst_text_add(&page->text, text, (size_t)scene->style->width, HST_CUT_END, 0, scene->style);
    hst_top_line_end(page, HST_TOP_INK_KEYS);
}

static void add_rows(struct hst_top_page *page, const struct hst_top_scene *scene,
                     const struct hst_top_live *live, const struct hst_top_table *table,
                     const struct hst_top_choice *choice)
{
    size_t used = page->count + 1; /* the keys are below */
    page->rows = scene->height == 0 ? scene->rows_max : scene->height > used ? scene->height - used : 0;
    size_t from = scene->first_row < table->shown_count ? scene->first_row : table->shown_count;
    for (size_t i = 0; i < page->rows; i++)
        if (from + i < table->shown_count) {
            hst_top_text_row(page, scene, live, table, choice, table->shown[from + i]);
        } else if (scene->height != 0) {
            hst_top_line_end(page, HST_TOP_INK_PLAIN);
        } else {
            return;
        }
}

enum hst_status hst_top_page_fill(struct hst_top_page *page, const struct hst_top_scene *scene,
                                  const struct hst_top_live *live, const struct hst_top_table *table,
                                  const struct hst_top_choice *choice)
{
    hst_buffer_clear(&page->text);
    page->count = page->rows = 0;
    if (!HST_RESERVE(page->lines, page->capacity, 1))
        return HST_E_NOMEM;
    page->lines[0] = (struct hst_top_line){.begin = 0};
    if (scene->help) {
        add_help(page, scene);
        return hst_buffer_status(&page->text);
    }
    hst_top_text_header(page, scene, live, table, choice);
    hst_top_text_headings(page, scene, choice);
    add_rows(page, scene, live, table, choice);
    if (scene->height != 0)
        add_keys(page, scene, choice);
    return hst_buffer_status(&page->text);
}
