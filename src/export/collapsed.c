/* Collapsed stacks: `root;child;leaf<space>nanoseconds`, one line a distinct stack of functions, leaf last.
 *
 * A frame reads "qualname (file:first line)", so that lines of one function fall together and namesakes stay
 * apart. ';' inside a name becomes ':', control characters become spaces: both would break the line for its
 * readers. */
#include "base/memory.h"
#include "export/exporter.h"
#include "export/text.h"

/* Stacks that differ only in lines are one stack of functions. fold_of maps a stack to its fold. */
struct folds {
    uint32_t *fold_of;
    struct fold {
        uint32_t parent, function;
        uint64_t weight_ns;
    } * rows; /* [0] is the empty one */
    size_t count, capacity;
    struct hst_map index; /* parent, function -> row */
};

static void folds_release(struct folds *folds)
{
    hst_free(folds->fold_of);
    hst_free(folds->rows);
    hst_map_release(&folds->index);
}

static enum hst_status fold_all(struct folds *folds, const struct hst_profile *profile)
{
    folds->fold_of = hst_alloc_zero(profile->stack_count, sizeof *folds->fold_of);
    if (folds->fold_of == NULL || !HST_RESERVE(folds->rows, folds->capacity, 1))
        return HST_E_NOMEM;
    folds->rows[0] = (struct fold){.function = HST_ID_NONE};
    folds->count = 1;
    for (size_t i = 1; i < profile->stack_count; i++) {
        uint32_t parent = folds->fold_of[profile->stacks[i].parent];
        uint32_t function = hst_export_function_of(profile, (uint32_t)i);
        uint64_t key = (uint64_t)parent << 32 | function;
        uint32_t found = hst_map_find(&folds->index, key);
        if (found == HST_MAP_ABSENT) {
            found = (uint32_t)folds->count;
            if (!HST_RESERVE(folds->rows, folds->capacity, folds->count + 1) ||
                !hst_map_set(&folds->index, key, found))
                return HST_E_NOMEM;
            folds->rows[folds->count++] = (struct fold){.parent = parent, .function = function};
        }
        folds->fold_of[i] = found;
    }
    return HST_OK;
}

static enum hst_status write_fold(const struct hst_export *run, const struct folds *folds, uint32_t fold,
                                  uint32_t **path, size_t *capacity, struct hst_output *output)
{
    size_t depth = 0;
    for (uint32_t at = fold; at != 0 || depth == 0; at = folds->rows[at].parent) {
        if (!HST_RESERVE(*path, *capacity, depth + 1))
            return HST_E_NOMEM;
        (*path)[depth++] = folds->rows[at].function;
    }
    struct hst_buffer label;
    hst_buffer_init(&label, 0);
    while (depth-- > 0) {
        hst_buffer_clear(&label);
        hst_text_label(&label, run->profile, (*path)[depth], run->info->directory, ";", ':');
        hst_output_buffer(output, &label);
        hst_output_text(output, depth > 0 ? ";" : " ");
    }
    hst_buffer_release(&label);
    hst_output_u64(output, folds->rows[fold].weight_ns);
    hst_output_text(output, "\n");
    return HST_OK;
}

static enum hst_status write_all(struct hst_export *run, struct hst_aggregate *aggregate, struct folds *folds,
                                 struct hst_output *output)
{
    HST_TRY(fold_all(folds, run->profile));
    for (size_t i = 0; i < aggregate->count; i++)
        folds->rows[folds->fold_of[aggregate->rows[i].stack]].weight_ns += aggregate->rows[i].weight_ns;
    HST_CLEANUP_FREE uint32_t *path = NULL;
    size_t capacity = 0;
    for (uint32_t i = 0; i < folds->count; i++)
        if (folds->rows[i].weight_ns > 0)
            HST_TRY(write_fold(run, folds, i, &path, &capacity, output));
    return HST_OK;
}

enum hst_status hst_export_collapsed(struct hst_export *run, struct hst_output *output, struct hst_error *err)
{
    HST_CLEANUP(hst_aggregate_release) struct hst_aggregate aggregate;
    HST_CLEANUP(folds_release) struct folds folds = {0};
    hst_aggregate_init(&aggregate);
    HST_TRY(hst_export_sum(run, &aggregate, err));
    return write_all(run, &aggregate, &folds, output) == HST_OK ? HST_OK : hst_export_nomem(err);
}
