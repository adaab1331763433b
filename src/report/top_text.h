/* A live table -> the lines of a screen, or of a page that is printed: what stands in each line and how much
 * weight it has; how that looks is for who shows it. */
#ifndef HST_REPORT_TOP_TEXT_H
#define HST_REPORT_TOP_TEXT_H

#include <jansson.h>

#include "base/buffer.h"
#include "report/style.h"
#include "report/top_table.h"

enum hst_top_ink {
    HST_TOP_INK_TITLE,
    HST_TOP_INK_PLAIN,
    HST_TOP_INK_ALERT,
    HST_TOP_INK_HEADING,
    HST_TOP_INK_HOT,  /* a row that takes a good part of the time now */
    HST_TOP_INK_REST, /* a row that takes none now */
    HST_TOP_INK_KEYS,
};

struct hst_top_line {
    size_t begin; /* in text; terminated */
    enum hst_top_ink ink;
};

struct hst_top_page {
    struct hst_buffer text;
    struct hst_top_line *lines;
    size_t count, capacity;
    size_t rows; /* of the table that fit */
};

/* Everything that a page shows besides the table. */
struct hst_top_scene {
    int pid;
    const char *command;
    const char *output; /* where the output of a program started here goes; NULL = the program is not ours */
    const char *ending; /* how it ended, a part of a sentence; "" = it goes on */
    const char *note;   /* something to say once; "" = nothing */
    int frozen, help, typing;
    size_t first_row; /* the table is scrolled by so much */
    size_t height;    /* of the screen; 0 = none: rows_max rows of the table */
    size_t rows_max;
    const struct hst_style *style;
};

void hst_top_page_init(struct hst_top_page *page);
void hst_top_page_release(struct hst_top_page *page);
/* Replaces what the page holds. With the lock of live held. */
enum hst_status hst_top_page_fill(struct hst_top_page *page, const struct hst_top_scene *scene,
                                  const struct hst_top_live *live, const struct hst_top_table *table,
                                  const struct hst_top_choice *choice) HST_MUST_CHECK;
static inline const char *hst_top_page_line(const struct hst_top_page *page, size_t line)
{
    return (const char *)page->text.data + page->lines[line].begin;
}

/* The same as one JSON object, all rows of functions, lines and threads up to rows_max each; the caller's to
 * json_decref. NULL: out of memory. With the lock of live held. */
json_t *hst_top_json(const struct hst_top_scene *scene, const struct hst_top_live *live,
                     struct hst_top_table *table, const struct hst_top_choice *choice);

/* Parts of a page, one file each; they append whole lines. */
void hst_top_line_end(struct hst_top_page *page, enum hst_top_ink ink); /* what was appended is a line */
void hst_top_text_header(struct hst_top_page *page, const struct hst_top_scene *scene,
                         const struct hst_top_live *live, const struct hst_top_table *table,
                         const struct hst_top_choice *choice);
void hst_top_text_headings(struct hst_top_page *page, const struct hst_top_scene *scene,
                           const struct hst_top_choice *choice);
void hst_top_text_row(struct hst_top_page *page, const struct hst_top_scene *scene,
                      const struct hst_top_live *live, const struct hst_top_table *table,
                      const struct hst_top_choice *choice, uint32_t index);
/* What a thread does, in a few words. */
void hst_top_state_text(const struct hst_top_seen *seen, char *ret_text, size_t size);

#endif
