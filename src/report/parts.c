/* The parts of a page that every report has. */
#include "report/parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "analyze/pattern.h"
#include "base/memory.h"

/* Below this many samples a share is known to no better than +-10 points. */
#define FEW_SAMPLES 100

const char *hst_page_ink(const struct hst_page *page, enum hst_ink ink) { return hst_ink(page->style, ink); }

uint64_t hst_page_rows(const struct hst_page *page, uint64_t usual)
{
    return page->options->rows != 0 ? page->options->rows : usual;
}

struct hst_cell hst_page_file(const struct hst_page *page, uint32_t file)
{
    return hst_cell_file(hst_profile_text(page->source->profile, file), page->source->info->directory);
}

void hst_page_title(struct hst_page *page, const char *title)
{
    hst_buffer_add_fmt(page->out, "\n%s%s%s", hst_page_ink(page, HST_INK_BOLD), title,
                       hst_page_ink(page, HST_INK_RESET));
}

void hst_page_command(struct hst_page *page, const char *verb, const char *arguments, const char *meaning)
{
    HST_CLEANUP_FREE char *command =
        hst_asprintf("hasten %s%s%s%s", verb, page->options->store != NULL ? " --store " : "",
                     page->options->store != NULL ? hst_cell_word(page->options->store).text : "", arguments);
    if (command == NULL) {
        page->out->failed = 1;
        return;
    }
    hst_buffer_add_fmt(page->out, "  %s", hst_page_ink(page, HST_INK_CYAN));
    hst_text_add(page->out, command, 4096, HST_CUT_END, 0, page->style);
    size_t width = hst_text_width(command);
    hst_buffer_add_fmt(page->out, "%s%*s  %s\n", hst_page_ink(page, HST_INK_RESET),
                       width < 44 ? (int)(44 - width) : 0, "", meaning);
}

void hst_page_function(struct hst_page *page, uint32_t function, size_t width)
{
    const struct hst_profile *profile = page->source->profile;
    const struct hst_function *row = &profile->functions[function];
    struct hst_cell name = hst_cell_function(profile, function), file = hst_page_file(page, row->file);
    size_t name_width = hst_text_width(name.text);
    if (name_width > width * 3 / 5 && name_width + 2 + hst_text_width(file.text) + 6 > width)
        name_width = width * 3 / 5;
    hst_buffer_add_text(page->out, page->view.library[function] ? "" : hst_page_ink(page, HST_INK_BOLD));
    hst_text_add(page->out, name.text, name_width, HST_CUT_END, 0, page->style);
    hst_buffer_add_text(page->out, hst_page_ink(page, HST_INK_RESET));
    struct hst_cell where = file;
    if (row->first_line != 0 && strlen(file.text) < HST_CELL_BYTES - 16) {
        size_t length = strlen(file.text);
        (void)snprintf(where.text + length, sizeof where.text - length, ":%u", row->first_line);
    }
    if (width < name_width + 8)
        return;
    hst_buffer_add_fmt(page->out, "  %s", hst_page_ink(page, HST_INK_DIM));
    hst_text_add(page->out, where.text, width - name_width - 2, HST_CUT_START, 0, page->style);
    hst_buffer_add_text(page->out, hst_page_ink(page, HST_INK_RESET));
}

int hst_threads_overlap(const struct hst_view *view, const struct hst_run_info *info)
{
    return view->threads_active > 1 && view->all.ns > info->duration_ns + info->duration_ns / 10;
}

/* Facts one after the other, on a second line where they would leave the screen. */
struct facts {
    struct hst_page *page;
    size_t column;
};

static void fact(struct facts *facts, const char *fmt, ...) HST_PRINTF(2, 3);
static void fact(struct facts *facts, const char *fmt, ...)
{
    struct hst_page *page = facts->page;
    char text[HST_CELL_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size_t width = hst_text_width(text);
    if (facts->column > 0 && facts->column + 3 + width > (size_t)page->style->width) {
        hst_buffer_add_text(page->out, "\n  ");
        facts->column = 2;
    } else if (facts->column > 0) {
        hst_buffer_add_text(page->out, page->style->utf8 ? " · " : " | ");
        facts->column += 3;
    }
    hst_text_add(page->out, text, width, HST_CUT_END, 0, page->style);
    facts->column += width;
}

/* The interpreter of the first process that has one. */
static const char *interpreter(const struct hst_profile *profile)
{
    for (size_t p = 0; p < profile->process_count; p++) {
        const char *text = hst_profile_text(profile, profile->processes[p].interpreter);
        if (text[0] != '\0')
            return text;
    }
    return "no Python seen";
}

static void add_facts(struct hst_page *page)
{
    const struct hst_run_info *info = page->source->info;
    const struct hst_profile *profile = page->source->profile;
    const struct hst_run_cost *cost = &info->cost;
    struct facts facts = {.page = page};
    hst_buffer_add_text(page->out, hst_page_ink(page, HST_INK_BOLD));
    if (info->number != 0) /* 0: of a file, not of the store */
        fact(&facts, "run %llu", (unsigned long long)info->number);
    hst_buffer_add_text(page->out, hst_page_ink(page, HST_INK_RESET));
    if (info->kind == HST_RUN_IMPORTED) {
        fact(&facts, "%s %s", hst_cell_count(cost->samples).text,
             page->source->lines != NULL ? "hits of lines" : "calls");
        fact(&facts, "%s measured", hst_cell_duration(info->duration_ns).text);
        hst_buffer_add_byte(page->out, '\n');
        return;
    }
    fact(&facts, "%s wall", hst_cell_duration(info->duration_ns).text);
    fact(&facts, "%s CPU", hst_cell_duration(info->cpu_ns).text);
    fact(&facts, "%.40s", interpreter(profile));
    if (profile->process_count > 1)
        fact(&facts, "%zu processes", profile->process_count);
    if (info->kind != HST_RUN_SAMPLED) {
        fact(&facts, "%s %s", hst_cell_count(cost->samples).text,
             info->kind == HST_RUN_LINES ? "line hits" : "calls");
        hst_buffer_add_byte(page->out, '\n');
        return;
    }
    fact(&facts, "%s samples at %s", hst_cell_count(cost->samples).text, hst_cell_rate(info->rate_hz).text);
    uint64_t tried = cost->samples + cost->dropped;
    if (cost->dropped == 0)
        fact(&facts, "0 dropped");
    else
        fact(&facts, cost->dropped * 10 < tried ? "%.2g %% dropped" : "%.0f %% dropped",
             100.0 * (double)cost->dropped / (double)tried);
    if (cost->slowdown_percent >= 0)
        fact(&facts, "cost %.1f %%", cost->slowdown_percent);
    else if (info->duration_ns > 0)
        fact(&facts, "cost %.1f %% CPU",
             100.0 * (double)(cost->read_cpu_ns + cost->wake_cpu_ns) / (double)info->duration_ns);
    hst_buffer_add_byte(page->out, '\n');
}

static void add_ending(struct hst_page *page)
{
    const struct hst_run_info *info = page->source->info;
    if (info->status == HST_RUN_RECORDING)
        hst_buffer_add_text(page->out, "  (still being recorded, or hasten was killed)");
    else if (info->status == HST_RUN_INTERRUPTED)
        hst_buffer_add_text(page->out, "  (interrupted)");
    if (info->exit_status > 0 && WIFSIGNALED(info->exit_status))
        hst_buffer_add_fmt(page->out, "  (ended by signal %d)", WTERMSIG(info->exit_status));
    else if (info->exit_status > 0 && WIFEXITED(info->exit_status))
        hst_buffer_add_fmt(page->out, "  (exit code %d)", WEXITSTATUS(info->exit_status));
}

static void add_warnings(struct hst_page *page)
{
    const struct hst_run_cost *cost = &page->source->info->cost;
    const char *ink = hst_page_ink(page, HST_INK_YELLOW), *reset = hst_page_ink(page, HST_INK_RESET);
    double effective = hst_effective_samples(&page->view.all);
    if (page->source->info->kind != HST_RUN_SAMPLED)
        return; /* counted, not estimated */
    if (page->view.all.samples > 0 && effective < FEW_SAMPLES) {
        struct hst_share half = hst_share_of(1, 2, effective);
        hst_buffer_add_fmt(page->out,
                           "%sOnly %s samples here: a share of 50 %% may be anything from %.0f to %.0f %%. "
                           "Longer or faster (-r 10khz) helps.%s\n",
                           ink, hst_cell_count(page->view.all.samples).text, 100 * half.interval.low,
                           100 * half.interval.high, reset);
    }
    uint64_t tried = cost->samples + cost->dropped;
    if (cost->dropped * 50 > tried)
        hst_buffer_add_fmt(page->out,
                           "%s%.1f %% of the samples were dropped: shares may lean to slow code. "
                           "--blocking avoids it, at a price.%s\n",
                           ink, 100.0 * (double)cost->dropped / (double)tried, reset);
}

void hst_page_header(struct hst_page *page)
{
    const struct hst_run_info *info = page->source->info;
    add_facts(page);
    hst_buffer_add_text(page->out, hst_page_ink(page, HST_INK_DIM));
    if (info->name[0] != '\0') {
        hst_text_add(page->out, info->name, 30, HST_CUT_END, 0, page->style);
        hst_buffer_add_text(page->out, ": ");
    }
    size_t width = (size_t)page->style->width > 40 ? (size_t)page->style->width - 34 : 66;
    if (page->source->imported != NULL) {
        hst_buffer_add_text(page->out, "imported from ");
        hst_text_add(page->out, page->source->imported->file, width, HST_CUT_START, 0, page->style);
        hst_buffer_add_fmt(page->out, ", made by %s", page->source->imported->maker);
    } else {
        hst_text_add(page->out, info->command, width, HST_CUT_END, 0, page->style);
    }
    add_ending(page);
    hst_buffer_add_fmt(page->out, "%s\n", hst_page_ink(page, HST_INK_RESET));
    add_warnings(page);
}

enum hst_status hst_subject_functions(const struct hst_profile *profile, const char *subject,
                                      uint8_t *ret_wanted, struct hst_error *err)
{
    struct hst_patterns patterns;
    HST_TRY(hst_patterns_init(&patterns, &subject, 1, err));
    size_t found = 0;
    for (uint32_t f = 0; f < profile->function_count; f++) {
        struct hst_cell shown = hst_cell_function(profile, f);
        ret_wanted[f] = strcmp(shown.text, subject) == 0 || hst_patterns_match(&patterns, profile, f);
        found += ret_wanted[f];
    }
    hst_patterns_release(&patterns);
    if (found > 0)
        return HST_OK;
    (void)hst_error_set(err, HST_E_NOENT, "no function '%.200s' was seen in this run", subject);
    hst_error_hint(err, "a name as the report shows it, a glob such as '*%.40s*', or a file", subject);
    return HST_E_NOENT;
}

enum hst_status hst_subject_file(const struct hst_profile *profile, const char *subject, uint32_t *ret_file,
                                 struct hst_error *err)
{
    size_t wanted = strlen(subject), found = 0;
    uint32_t file = 0, other = 0;
    while (strncmp(subject, "./", 2) == 0)
        subject += 2, wanted -= 2;
    for (uint32_t f = 0; f < profile->function_count; f++) {
        uint32_t candidate = profile->functions[f].file;
        const char *path = hst_profile_text(profile, candidate);
        size_t length = strlen(path);
        if (length < wanted || wanted == 0 || strcmp(path + length - wanted, subject) != 0 ||
            (length > wanted && path[length - wanted - 1] != '/' && subject[0] != '/'))
            continue;
        if (length == wanted) {
            *ret_file = candidate;
            return HST_OK;
        }
        if (found == 0 || candidate != file) {
            other = file;
            file = candidate;
            found++;
        }
    }
    if (found == 1) {
        *ret_file = file;
        return HST_OK;
    }
    if (found > 1) {
        (void)hst_error_set(err, HST_E_INVALID, "'%.200s' could be several files of this run", subject);
        hst_error_hint(err, "%.200s or %.200s", hst_profile_text(profile, other),
                       hst_profile_text(profile, file));
        return HST_E_INVALID;
    }
    (void)hst_error_set(err, HST_E_NOENT, "no code of a file '%.200s' was seen in this run", subject);
    hst_error_hint(err, "a file that the report names, by its path or the end of it");
    return HST_E_NOENT;
}
