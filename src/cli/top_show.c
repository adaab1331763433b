/* What screen and pages share, and the pages. */
#include "cli/top_show.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

void hst_top_show_wait(struct hst_top_show *show, int keys, int timeout_ms, int *ret_news)
{
    struct pollfd fds[] = {{.fd = show->top->event_fd, .events = POLLIN},
                           {.fd = show->signal_fd, .events = POLLIN},
                           {.fd = keys ? STDIN_FILENO : -1, .events = POLLIN}};
    *ret_news = 0;
    if (poll(fds, HST_ARRAY_LENGTH(fds), timeout_ms) <= 0)
        return;
    uint64_t count;
    if (fds[0].revents != 0)
        *ret_news = read(show->top->event_fd, &count, sizeof count) == (ssize_t)sizeof count;
    struct signalfd_siginfo info;
    if (fds[1].revents != 0 && read(show->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        show->interrupted = 1;
}

void hst_top_show_end(struct hst_top_show *show)
{
    char *text = show->ending;
    size_t size = sizeof show->ending;
    if (show->child && show->exit_status == -1 &&
        waitpid(show->top->pid, &show->exit_status, WNOHANG) != show->top->pid)
        show->exit_status = -1;
    int status = show->exit_status;
    if (show->top->end == HST_END_DURATION)
        (void)snprintf(text, size, "the time is up");
    else if (status != -1 && WIFEXITED(status))
        (void)snprintf(text, size, "the program ended with exit code %d", WEXITSTATUS(status));
    else if (status != -1 && WIFSIGNALED(status))
        (void)snprintf(text, size, "the program was ended by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    else
        (void)snprintf(text, size, "the program ended");
    show->scene.ending = show->ending;
}

/* With the lock held. */
static enum hst_status refresh(struct hst_top_show *show, struct hst_error *err)
{
    struct hst_top_live *live = &show->top->live;
    HST_TRY(hst_top_table_take(&show->table, live));
    if (live->renewals > 0)
        show->scene.note = "the tables were full: counted anew";
    return hst_top_table_make(&show->table, &live->profile, &show->choices.choice, err);
}

enum hst_status hst_top_show_refresh(struct hst_top_show *show, struct hst_error *err)
{
    (void)pthread_mutex_lock(&show->top->live.lock);
    enum hst_status status = refresh(show, err);
    (void)pthread_mutex_unlock(&show->top->live.lock);
    if (status != HST_OK && err->text[0] == '\0')
        (void)hst_error_set(err, status, "out of memory");
    return status;
}

/* One line; with the lock held. */
static enum hst_status add_json(struct hst_top_show *show, struct hst_buffer *text)
{
    json_t *json = hst_top_json(&show->scene, &show->top->live, &show->table, &show->choices.choice);
    if (json == NULL)
        return HST_E_NOMEM;
    char *line = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(json);
    if (line == NULL)
        return HST_E_NOMEM;
    hst_buffer_add_fmt(text, "%s\n", line);
    free(line);
    return hst_buffer_status(text);
}

/* With the lock held. */
static enum hst_status add_page(struct hst_top_show *show, int first, struct hst_buffer *text)
{
    struct hst_top_page page;
    hst_top_page_init(&page);
    enum hst_status status =
        hst_top_page_fill(&page, &show->scene, &show->top->live, &show->table, &show->choices.choice);
    if (!first)
        hst_buffer_add_byte(text, '\n');
    for (size_t i = 0; i < page.count && status == HST_OK; i++)
        if (hst_top_page_line(&page, i)[0] != '\0')
            hst_buffer_add_fmt(text, "%s\n", hst_top_page_line(&page, i));
    hst_top_page_release(&page);
    return status == HST_OK ? hst_buffer_status(text) : status;
}

/* Figures and text under one lock: what the figures name may be gone a moment later. */
static enum hst_status print_page(struct hst_top_show *show, int json, int first, FILE *out,
                                  struct hst_error *err)
{
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, 0);
    (void)pthread_mutex_lock(&show->top->live.lock);
    enum hst_status status = refresh(show, err);
    if (status == HST_OK)
        status = json ? add_json(show, &text) : add_page(show, first, &text);
    (void)pthread_mutex_unlock(&show->top->live.lock);
    if (status != HST_OK)
        return err->text[0] != '\0' ? status : hst_error_set(err, status, "out of memory");
    if (fwrite(text.data, 1, text.length, out) != text.length || fflush(out) != 0)
        return hst_error_set(err, HST_E_IO, "cannot write the output");
    return HST_OK;
}

/* The first publish comes at once, with next to nothing in it. */
static int has_figures(struct hst_top_show *show)
{
    struct hst_top_live *live = &show->top->live;
    (void)pthread_mutex_lock(&live->lock);
    int has = live->slot_count > 0 && live->now_ns >= show->top->options.flush_ns / 2;
    (void)pthread_mutex_unlock(&live->lock);
    return has;
}

enum hst_status hst_top_show_pages(struct hst_top_show *show, uint64_t pages, int json, struct hst_cli *cli,
                                   struct hst_error *err)
{
    uint64_t printed = 0;
    while ((pages == 0 || printed < pages) && !show->interrupted) {
        int news = 0;
        if (!atomic_load(&show->top->done)) /* its news may have been taken before */
            hst_top_show_wait(show, 0, -1, &news);
        if (atomic_load(&show->top->done)) {
            hst_top_show_end(show);
            show->interrupted |= show->top->end == HST_END_INTERRUPTED;
            return show->top->live.samples > 0 ? print_page(show, json, printed == 0, cli->out, err) : HST_OK;
        }
        if (news && has_figures(show)) {
            HST_TRY(print_page(show, json, printed == 0, cli->out, err));
            printed++;
        }
    }
    return HST_OK;
}
