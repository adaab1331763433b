/* The default screen: the few functions and lines that matter, what fixing them would give, where the time
 * went, and what to do next. Made to fit 100 columns by 40 lines. */
#include "report/parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "report/source.h"

#define FUNCTION_ROWS 8
#define LINE_ROWS 6
/* Rows below this share of the whole are left out of the default screen. */
#define LEAST_SHARE 0.005

/* What the text after the tables is made of. */
struct findings {
    uint32_t hot_function, hot_file; /* own code with most time; HST_ID_NONE = none */
    const struct hst_states *states;
};

/* The columns before the name. */
#define NAME_COLUMN 53
static void add_numbers(struct hst_page *page, const struct hst_sum *self, const struct hst_sum *total)
{
    struct hst_share share = hst_view_share(&page->view, self->ns);
    struct hst_gain twice = hst_gain_of(&share, 2), free = hst_gain_of(&share, INFINITY);
    int only_most = hst_threads_overlap(&page->view, page->source->info);
    struct hst_cell twice_cell = hst_cell_gain(&twice, only_most, page->style),
                    free_cell = hst_cell_gain(&free, only_most, page->style);
    hst_buffer_add_fmt(page->out, " %s %s%s%s %4s %s", hst_cell_percent(share.share).text,
                       hst_page_ink(page, HST_INK_CYAN), hst_cell_bar(share.share, 5, page->style).text,
                       hst_page_ink(page, HST_INK_RESET), hst_cell_margin(&share).text,
                       hst_cell_percent((double)total->ns / (double)page->view.all.ns).text);
    hst_buffer_add_fmt(page->out, " %*s%s %*s%s  ", 11 - (int)hst_text_width(twice_cell.text), "",
                       twice_cell.text, 11 - (int)hst_text_width(free_cell.text), "", free_cell.text);
}

static size_t name_width(const struct hst_page *page)
{
    return page->style->width > NAME_COLUMN + 20 ? (size_t)page->style->width - NAME_COLUMN : 20;
}

static void add_note(struct hst_page *page, const char *note)
{
    hst_buffer_add_fmt(page->out, "%*s%s", 19, "", hst_page_ink(page, HST_INK_DIM));
    hst_text_add(page->out, note, (size_t)(page->style->width > 60 ? page->style->width - 20 : 40),
                 HST_CUT_END, 0, page->style);
    hst_buffer_add_fmt(page->out, "%s\n", hst_page_ink(page, HST_INK_RESET));
}

/* Below a function that is not what it seems: mostly waiting, or mostly library code. */
static void add_function_note(struct hst_page *page, const struct hst_function_total *row)
{
    const struct hst_profile *profile = page->source->profile;
    double self = (double)row->self.ns;
    if (self < 0.02 * (double)page->view.all.ns)
        return;
    char waiting[64] = "", library[2 * HST_CELL_BYTES + 80] = "", note[sizeof waiting + sizeof library + 16];
    if (page->options->filter.mode == HST_MODE_WALL && (double)row->waiting_ns >= 0.5 * self)
        (void)snprintf(waiting, sizeof waiting, "waiting for %.0f %% of that",
                       100 * (double)row->waiting_ns / self);
    if (row->library_function != HST_ID_NONE && (double)row->library_ns >= 0.25 * self)
        (void)snprintf(library, sizeof library, "%.0f %% in library code, most by calling %s (%s)",
                       100 * (double)row->library_ns / self,
                       hst_cell_function(profile, row->library_function).text,
                       hst_page_file(page, profile->functions[row->library_function].file).text);
    if (waiting[0] == '\0' && library[0] == '\0')
        return;
    (void)snprintf(note, sizeof note, "%s%s%s%s", page->style->utf8 ? "└ " : "`- ", waiting,
                   waiting[0] != '\0' && library[0] != '\0' ? "; " : "", library);
    add_note(page, note);
}

/* Which part of the run this is: "wall time without idle threads, 8.00 s in 2 threads". */
static void add_mode(struct hst_page *page)
{
    hst_buffer_add_fmt(page->out, "\nShown: %s%s%s, %s", hst_page_ink(page, HST_INK_BOLD),
                       hst_mode_description(page->options->filter.mode), hst_page_ink(page, HST_INK_RESET),
                       hst_cell_duration(page->view.all.ns).text);
    if (page->view.threads_active > 1)
        hst_buffer_add_fmt(page->out, " in %u threads", page->view.threads_active);
    if (page->options->filter.mode == HST_MODE_WALL && page->view.left_out_ns > 0)
        hst_buffer_add_fmt(page->out, "; waiting left out: %s",
                           hst_cell_duration(page->view.left_out_ns).text);
    const struct hst_window *window = &page->source->window;
    if (!hst_window_is_all(window))
        hst_buffer_add_fmt(page->out, "; from %s to %s of the run", hst_cell_duration(window->since_ns).text,
                           hst_cell_duration(window->until_ns).text);
    hst_buffer_add_fmt(page->out, "%s  (--mode)%s\n", hst_page_ink(page, HST_INK_DIM),
                       hst_page_ink(page, HST_INK_RESET));
}

static void add_columns(struct hst_page *page)
{
    const char *bold = hst_page_ink(page, HST_INK_BOLD), *dim = hst_page_ink(page, HST_INK_DIM),
               *reset = hst_page_ink(page, HST_INK_RESET);
    hst_buffer_add_fmt(page->out, "\n%sFunctions%s%s%21s%s\n", bold, reset, dim, "",
                       "speed of the whole, if it were");
    hst_buffer_add_fmt(page->out, "    self          %s   total   2x as fast        free  function%s%s\n",
                       page->style->utf8 ? "±" : "+-",
                       page->options->filter.fold ? ", with the library code it calls" : "", reset);
}

static int is_worth_a_row(const struct hst_page *page, const struct hst_sum *self,
                          const struct hst_sum *total)
{
    const struct hst_sum *shown = page->options->sort == HST_SORT_TOTAL ? total : self;
    return page->options->rows != 0 || (double)shown->ns >= LEAST_SHARE * (double)page->view.all.ns;
}

static void add_functions(struct hst_page *page, const struct hst_totals *totals)
{
    uint64_t rows = hst_page_rows(page, FUNCTION_ROWS), shown = 0;
    uint64_t rest_ns = 0, rest = 0;
    for (size_t i = 0; i < totals->function_count; i++) {
        const struct hst_function_total *row = &totals->functions[i];
        if (shown >= rows || !is_worth_a_row(page, &row->self, &row->total)) {
            rest_ns += row->self.ns;
            rest += row->self.ns > 0;
            continue;
        }
        add_numbers(page, &row->self, &row->total);
        hst_page_function(page, row->function, name_width(page));
        hst_buffer_add_byte(page->out, '\n');
        add_function_note(page, row);
        shown++;
    }
    double whole = (double)page->view.all.ns;
    if (totals->no_frame.ns > 0 && (double)totals->no_frame.ns >= LEAST_SHARE * whole)
        hst_buffer_add_fmt(page->out, " %s%*s(no Python code: start, end, C threads)\n",
                           hst_cell_percent((double)totals->no_frame.ns / whole).text, NAME_COLUMN - 8, "");
    if (rest > 0)
        hst_buffer_add_fmt(page->out, "%s %s%*s%llu more function%s (-n %llu)%s\n",
                           hst_page_ink(page, HST_INK_DIM), hst_cell_percent((double)rest_ns / whole).text,
                           NAME_COLUMN - 8, "", (unsigned long long)rest, rest == 1 ? "" : "s",
                           (unsigned long long)rest + shown, hst_page_ink(page, HST_INK_RESET));
}

/* "app.py:12", or "src/app.py:12" where two parts of the path fit in half of the column. */
static struct hst_cell line_place(const struct hst_page *page, const struct hst_line_total *row)
{
    struct hst_cell file = hst_page_file(page, row->file), place;
    const char *slash = strrchr(file.text, '/');
    const char *shown =
        slash != NULL && hst_text_width(file.text) + 6 > name_width(page) / 2 ? slash + 1 : file.text;
    (void)snprintf(place.text, sizeof place.text, "%.140s:%u", shown, row->line);
    return place;
}

/* The place and the source text of it, where the file is still what ran. */
static void add_line_place(struct hst_page *page, const struct hst_line_total *row, size_t place_width)
{
    const char *file = hst_profile_text(page->source->profile, row->file);
    struct hst_source source;
    int readable = hst_source_init(&source, file, page->source->info) == HST_OK && !source.newer;
    hst_text_add(page->out, line_place(page, row).text, place_width, HST_CUT_START, readable, page->style);
    if (readable) {
        const char *text = hst_source_line(&source, row->line);
        text += strspn(text, " \t");
        hst_buffer_add_fmt(page->out, "  %s", hst_page_ink(page, HST_INK_DIM));
        hst_text_add(page->out, text, name_width(page) - place_width - 2, HST_CUT_END, 0, page->style);
        hst_buffer_add_text(page->out, hst_page_ink(page, HST_INK_RESET));
    }
    hst_source_release(&source);
}

static int line_is_shown(const struct hst_page *page, const struct hst_line_total *row)
{
    return row->line != 0 && is_worth_a_row(page, &row->self, &row->total);
}

static void add_lines(struct hst_page *page, const struct hst_totals *totals)
{
    hst_page_title(page, "Lines");
    hst_buffer_add_byte(page->out, '\n');
    uint64_t rows = hst_page_rows(page, LINE_ROWS), shown = 0;
    size_t place_width = 0;
    for (size_t i = 0; i < totals->line_count && shown < rows; i++) {
        if (!line_is_shown(page, &totals->lines[i]))
            continue;
        size_t width = hst_text_width(line_place(page, &totals->lines[i]).text);
        place_width = width > place_width ? width : place_width;
        shown++;
    }
    place_width = place_width < name_width(page) / 2 ? place_width : name_width(page) / 2;
    for (size_t i = 0; i < totals->line_count && shown > 0; i++) {
        const struct hst_line_total *row = &totals->lines[i];
        if (!line_is_shown(page, row))
            continue;
        add_numbers(page, &row->self, &row->total);
        add_line_place(page, row, place_width);
        hst_buffer_add_byte(page->out, '\n');
        shown--;
    }
}

static double part(const struct hst_states *states, enum hst_activity activity)
{
    return states->all.ns > 0 ? (double)states->by_activity[activity].ns / (double)states->all.ns : 0;
}

static void add_next(struct hst_page *page, const struct findings *findings)
{
    const struct hst_profile *profile = page->source->profile;
    const struct hst_states *states = findings->states;
    unsigned long long number = page->source->info->number;
    char text[2 * HST_CELL_BYTES];
    hst_page_title(page, "Next");
    hst_buffer_add_byte(page->out, '\n');
    static const struct {
        enum hst_activity activity;
        double least;
        enum hst_mode mode;
        const char *meaning;
    } looks[] = {
        {HST_ACTIVITY_GIL_WAIT, 0.10, HST_MODE_GIL_WAIT, "who waits for the interpreter lock"},
        {HST_ACTIVITY_GC, 0.05, HST_MODE_GC, "what makes the garbage collector run"},
        {HST_ACTIVITY_BLOCKED, 0.25, HST_MODE_BLOCKED, "what the blocked time waits for"},
    };
    if (findings->hot_file != HST_ID_NONE) {
        (void)snprintf(text, sizeof text, " %llu --lines %s", number,
                       hst_cell_word(hst_page_file(page, findings->hot_file).text).text);
        hst_page_command(page, "show", text, "the source with its time, line by line");
    }
    if (findings->hot_function != HST_ID_NONE) {
        (void)snprintf(text, sizeof text, " %llu --callers %s", number,
                       hst_cell_word(hst_cell_function(profile, findings->hot_function).text).text);
        hst_page_command(page, "show", text, "who calls it, and what each caller costs");
    }
    for (size_t i = 0; i < HST_ARRAY_LENGTH(looks) && page->options->filter.mode == HST_MODE_WALL; i++)
        if (part(states, looks[i].activity) >= looks[i].least) {
            (void)snprintf(text, sizeof text, " %llu --mode %s", number, hst_mode_names[looks[i].mode]);
            hst_page_command(page, "show", text, looks[i].meaning);
        }
    (void)snprintf(text, sizeof text, " %llu --tree", number);
    hst_page_command(page, "show", text, "from the start of the program inward");
    if (page->view.threads_active > 1) {
        (void)snprintf(text, sizeof text, " %llu --threads", number);
        hst_page_command(page, "show", text, "thread by thread");
    }
    (void)snprintf(text, sizeof text, " %llu last", number);
    hst_page_command(page, "diff", text, "after a change and another run: did it help?");
}

static void add_overlap_note(struct hst_page *page)
{
    if (hst_threads_overlap(&page->view, page->source->info))
        hst_buffer_add_fmt(page->out,
                           "%s Threads worked side by side: speeding up one gains at most what is shown, "
                           "perhaps nothing.%s\n",
                           hst_page_ink(page, HST_INK_DIM), hst_page_ink(page, HST_INK_RESET));
}

static enum hst_status add_tables(struct hst_page *page, struct findings *findings)
{
    struct hst_totals totals;
    HST_TRY(hst_totals_init(&totals, &page->view));
    hst_totals_sort(&totals, page->source->profile, page->options->sort);
    add_functions(page, &totals);
    add_overlap_note(page);
    add_lines(page, &totals);
    uint64_t most = 0;
    for (size_t i = 0; i < totals.function_count; i++) {
        uint32_t function = totals.functions[i].function;
        if (!page->view.library[function] && totals.functions[i].self.ns > most) {
            most = totals.functions[i].self.ns;
            findings->hot_function = function;
            findings->hot_file = page->source->profile->functions[function].file;
        }
    }
    hst_totals_release(&totals);
    /* The frame of a module has no callers to ask for, and text that is no file has no lines to show. */
    if (findings->hot_file != HST_ID_NONE &&
        hst_profile_text(page->source->profile, findings->hot_file)[0] == '<')
        findings->hot_file = HST_ID_NONE;
    if (findings->hot_function != HST_ID_NONE &&
        hst_cell_function(page->source->profile, findings->hot_function).text[0] == '<')
        findings->hot_function = HST_ID_NONE;
    return HST_OK;
}

/* The states of what the tables hold, or, where the mode has only one, of the wall time around it. */
static enum hst_status add_states(struct hst_page *page, struct hst_states *states, struct hst_error *err)
{
    if (page->options->filter.mode == HST_MODE_WALL || page->options->filter.mode == HST_MODE_ALL) {
        HST_TRY(hst_states_init(states, &page->view));
        return hst_page_states(page, states);
    }
    struct hst_filter filter = page->options->filter;
    filter.mode = HST_MODE_WALL;
    struct hst_view wall;
    HST_TRY(hst_view_init(&wall, page->source->profile, page->source->aggregate, &filter, err));
    enum hst_status status = hst_states_init(states, &wall);
    hst_view_release(&wall);
    return status == HST_OK ? hst_page_states(page, states) : status;
}

static void add_nothing(struct hst_page *page)
{
    hst_buffer_add_fmt(page->out, "\nNo samples of %s", hst_mode_description(page->options->filter.mode));
    const struct hst_filter *filter = &page->options->filter;
    if (page->source->info->cost.samples == 0)
        hst_buffer_add_text(page->out, ": the program ended too soon, or it is not a Python.\n"
                                       "A faster rate sees more of a short program: hasten run -r max ...\n");
    else if (filter->show_count + filter->hide_count > 0 || filter->thread != HST_ID_NONE ||
             filter->process != HST_ID_NONE)
        hst_buffer_add_text(page->out, " pass the filters. Without them there are some.\n");
    else
        hst_buffer_add_text(page->out, " in this run. --mode all shows everything that there is.\n");
}

enum hst_status hst_page_summary(struct hst_page *page, struct hst_error *err)
{
    hst_page_header(page);
    if (page->view.all.ns == 0) {
        add_nothing(page);
        return HST_OK;
    }
    struct findings findings = {.hot_function = HST_ID_NONE, .hot_file = HST_ID_NONE};
    add_mode(page);
    add_columns(page);
    HST_TRY(add_tables(page, &findings));
    struct hst_states states = {0};
    enum hst_status status = add_states(page, &states, err);
    findings.states = &states;
    if (status == HST_OK)
        add_next(page, &findings);
    hst_states_release(&states);
    return status;
}
