/* `hasten heap refs`: who refers to an object, and by what paths the objects of a type are reached. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "analyze/heap_path.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/heap_run.h"
#include "cli/open_store.h"

enum { ROWS = 20 };

struct request {
    struct hst_common_options common;
    int dot;
    const char *output; /* a picture */
    const char *run, *subject;
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    const struct hst_option options[] = {
        HST_OPTION_ROW_HEAP_ROWS(&request->common, "20"),
        {"dot", 0, NULL, "print the objects around it as a graph for graphviz", HST_OPTION_FLAG,
         &request->dot, NULL},
        {"output", 'o', "FILE", "draw them: a file that ends with .svg, .png, .pdf or .dot", HST_OPTION_TEXT,
         &request->output, NULL},
        HST_OPTION_ROW_JSON(&request->common),
        HST_OPTION_ROW_STORE(&request->common),
    };
    const struct hst_usage usage = {
        .command = "heap refs",
        .synopsis = "[RUN] OBJECT|TYPE [options]",
        .summary = "Says of an object who refers to it, whom it refers to, and the shortest path from the "
                   "roots; of a "
                   "type, by which\nkinds of paths its objects are reached. OBJECT is an address or a path "
                   "(app.CACHE['users']), TYPE a module and class.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_min = 1,
        .operands_max = 2,
    };
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result != HST_PARSED)
        return result;
    request->run = operands > 1 ? argv[1] : NULL;
    request->subject = argv[operands];
    return HST_PARSED;
}

/* The format of a picture by the end of its name; NULL: none that is known. */
static const char *format_of(const char *path)
{
    static const char *const formats[] = {"svg", "png", "pdf", "dot"};
    const char *end = strrchr(path, '.');
    for (size_t i = 0; i < HST_ARRAY_LENGTH(formats) && end != NULL; i++)
        if (strcmp(end + 1, formats[i]) == 0)
            return formats[i];
    return NULL;
}

/* Runs dot with the graph on its standard input. HST_E_NOENT: it is not installed. */
static enum hst_status run_dot(const struct hst_buffer *graph, const char *format, const char *path)
{
    int pipe_fds[2], state;
    char option[16];
    (void)snprintf(option, sizeof option, "-T%s", format);
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return HST_E_IO;
    pid_t child = fork();
    if (child == 0) {
        if (dup2(pipe_fds[0], STDIN_FILENO) >= 0)
            (void)execlp("dot", "dot", option, "-o", path, (char *)NULL);
        _exit(127);
    }
    (void)close(pipe_fds[0]);
    for (size_t done = 0; child > 0 && done < graph->length;) {
        ssize_t written = write(pipe_fds[1], graph->data + done, graph->length - done);
        if (written < 0 && errno != EINTR)
            break; /* its exit code says it */
        done += written > 0 ? (size_t)written : 0;
    }
    (void)close(pipe_fds[1]);
    if (child < 0)
        return HST_E_IO;
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(state) && WEXITSTATUS(state) == 127 ? HST_E_NOENT
           : WIFEXITED(state) && WEXITSTATUS(state) == 0 ? HST_OK
                                                         : HST_E_IO;
}

static int draw(struct hst_cli *cli, const struct hst_buffer *graph, const char *path)
{
    struct hst_error err = {0};
    const char *format = format_of(path);
    if (strcmp(format, "dot") == 0)
        return hst_file_write(path, graph->data, graph->length, &err) == HST_OK
                   ? HST_EXIT_OK
                   : hst_message_error(cli, &err);
    void (*old)(int) = signal(SIGPIPE, SIG_IGN); /* dot may end before it has read all */
    enum hst_status status = run_dot(graph, format, path);
    (void)signal(SIGPIPE, old);
    if (status == HST_OK)
        return HST_EXIT_OK;
    if (status == HST_E_NOENT)
        hst_message(cli, "install graphviz, or draw a file that ends with .dot elsewhere",
                    "%s is drawn by `dot` of graphviz, which is not installed", path);
    else
        hst_message(cli, "a file that ends with .dot, then dot", "`dot` could not draw %s", path);
    return HST_EXIT_FAILURE;
}

static int answer_object(struct hst_cli *cli, const struct request *request, struct hst_heap_run *run,
                         uint32_t object)
{
    struct hst_heap_answer answer;
    hst_heap_answer_begin(&answer, cli, request->common.json, run, request->common.rows);
    if (request->output != NULL || request->dot) {
        answer.json = 0;
        enum hst_status status = hst_heap_refs_dot(&answer.page, object);
        if (status != HST_OK || request->output == NULL)
            return hst_heap_answer_end(&answer, status, NULL);
        int result = draw(cli, &answer.text, request->output);
        hst_buffer_release(&answer.text);
        return result;
    }
    if (request->common.json)
        return hst_heap_answer_end(&answer, HST_OK, hst_heap_refs_json(&answer.page, object));
    return hst_heap_answer_end(&answer, hst_heap_refs_text(&answer.page, object), NULL);
}

static int answer_type(struct hst_cli *cli, const struct request *request, struct hst_heap_run *run,
                       uint32_t type)
{
    struct hst_heap_answer answer;
    struct hst_heap_merged merged;
    if (request->output != NULL || request->dot)
        return hst_message_usage(cli, "heap refs", NULL, "a picture is of one object; %s is a type",
                                 request->subject);
    hst_heap_answer_begin(&answer, cli, request->common.json, run, request->common.rows);
    enum hst_status status = hst_heap_merged_init(&merged, &run->view, type);
    if (status != HST_OK)
        return hst_heap_answer_end(&answer, status, NULL);
    int result = request->common.json
                     ? hst_heap_answer_end(&answer, HST_OK, hst_heap_merged_json(&answer.page, &merged, type))
                     : hst_heap_answer_end(&answer, hst_heap_merged_text(&answer.page, &merged, type), NULL);
    hst_heap_merged_release(&merged);
    return result;
}

/* A type where one is called so, else an object. Of a text that is neither, the answer that has something
 * near is given. */
static int answer(struct hst_cli *cli, const struct request *request, struct hst_heap_run *run)
{
    struct hst_error err = {0}, type_err = {0};
    uint32_t object, type;
    int is_address = strncmp(request->subject, "0x", 2) == 0;
    if (!is_address && hst_heap_path_resolve_type(&run->heap, request->subject, &type, &type_err) == HST_OK)
        return answer_type(cli, request, run, type);
    if (hst_heap_path_resolve(&run->view, request->subject, &object, &err) == HST_OK)
        return answer_object(cli, request, run, object);
    int near_type = !is_address && strncmp(type_err.hint, "hasten", 6) != 0;
    return hst_message_error(cli, near_type ? &type_err : &err);
}

int hst_cmd_heap_refs(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {.common.rows = ROWS};
    struct hst_heap_run run;
    int result = parse(cli, argc, argv, &request);
    if (result != HST_PARSED)
        return result;
    if (request.output != NULL && format_of(request.output) == NULL)
        return hst_message_usage(cli, "heap refs", NULL, "-o: %s does not end with .svg, .png, .pdf or .dot",
                                 request.output);
    result = hst_heap_run_open(cli, request.common.store, request.run, &run);
    if (result != HST_PARSED)
        return result;
    result = answer(cli, &request, &run);
    hst_heap_run_close(&run);
    return result;
}
