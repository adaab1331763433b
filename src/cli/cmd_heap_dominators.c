/* `hasten heap dominators`: the tree of who alone keeps what alive. */
#include "analyze/heap_path.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/heap_run.h"

enum { DEPTH = 5, DEPTH_MOST = 100, WIDTH = 10 };

struct request {
    struct hst_common_options common;
    uint64_t depth;
    const char *run, *object;
};

static int parse(struct hst_cli *cli, int argc, char **argv, struct request *request)
{
    const struct hst_option options[] = {
        {"depth", 0, "LEVELS", "levels of the tree (default 5)", HST_OPTION_COUNT, &request->depth, NULL},
        {"rows", 'n', "ROWS", "objects below one parent (default 10); the others are shown by type",
         HST_OPTION_COUNT, &request->common.rows, NULL},
        HST_OPTION_ROW_JSON(&request->common),
        HST_OPTION_ROW_STORE(&request->common),
    };
    const struct hst_usage usage = {
        .command = "heap dominators",
        .synopsis = "[RUN] [OBJECT] [options]",
        .summary =
            "Shows who alone keeps what alive, as a tree: below an object stands what would be freed with "
            "it. "
            "OBJECT is an\naddress or a path such as app.CACHE['users']; without it the tree begins at the "
            "roots.",
        .options = options,
        .option_count = HST_ARRAY_LENGTH(options),
        .operands_max = 2,
    };
    int operands, result = hst_options_parse(cli, &usage, argc, argv, &operands);
    if (result != HST_PARSED)
        return result;
    if (request->depth > DEPTH_MOST)
        return hst_message_usage(cli, "heap dominators", NULL, "--depth: %d levels at most", DEPTH_MOST);
    if (operands == 2 || (operands == 1 && hst_heap_run_is_one(request->common.store, argv[1])))
        request->run = argv[1];
    if (operands > (request->run != NULL))
        request->object = argv[operands];
    return HST_PARSED;
}

int hst_cmd_heap_dominators(struct hst_cli *cli, int argc, char **argv)
{
    struct request request = {.common.rows = WIDTH, .depth = DEPTH};
    struct hst_error err = {0};
    struct hst_heap_run run;
    struct hst_heap_answer answer;
    struct hst_heap_tree tree;
    uint32_t object = HST_GRAPH_ROOT;
    int result = parse(cli, argc, argv, &request);
    if (result == HST_PARSED)
        result = hst_heap_run_open(cli, request.common.store, request.run, &run);
    if (result != HST_PARSED)
        return result;
    if (request.object != NULL && hst_heap_path_resolve(&run.view, request.object, &object, &err) != HST_OK) {
        hst_heap_run_close(&run);
        return hst_message_error(cli, &err);
    }
    hst_heap_answer_begin(&answer, cli, request.common.json, &run, 0);
    enum hst_status status =
        hst_heap_tree_init(&tree, &run.view, object, (uint32_t)request.depth,
                           request.common.rows == 0 ? SIZE_MAX : (size_t)request.common.rows);
    if (status != HST_OK)
        result = hst_heap_answer_end(&answer, status, NULL);
    else if (request.common.json)
        result = hst_heap_answer_end(&answer, HST_OK, hst_heap_tree_json(&answer.page, &tree));
    else
        result = hst_heap_answer_end(&answer, hst_heap_tree_text(&answer.page, &tree), NULL);
    if (status == HST_OK)
        hst_heap_tree_release(&tree);
    hst_heap_run_close(&run);
    return result;
}
