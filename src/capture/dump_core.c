/* Dumps a core file: nothing moves in it, so one look is enough. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "capture/dump_read.h"
#include "capture/dump_threads.h"
#include "target/core.h"

enum { STACK_TRIES = 2 };

/* Thread states name their thread by its pthread structure, which the thread pointer points at, or by number.
 */
static const struct hst_core_thread *thread_of(const struct hst_core *core, const struct hst_tstate *tstate)
{
    for (size_t i = 0; i < core->thread_count; i++)
        if (core->threads[i].thread_pointer != 0 && core->threads[i].thread_pointer == tstate->thread_id)
            return &core->threads[i];
    for (size_t i = 0; i < core->thread_count; i++)
        if (tstate->native_id != 0 && (uint64_t)core->threads[i].tid == tstate->native_id)
            return &core->threads[i];
    return NULL;
}

static enum hst_status add_thread(struct hst_dump_reader *reader, const struct hst_core *core,
                                  const struct hst_tstate *tstate)
{
    const struct hst_runtime *runtime = reader->runtime;
    const struct hst_core_thread *thread = thread_of(core, tstate);
    struct hst_gil gil = {0};
    struct hst_dump_thread *row = hst_dump_add_thread(reader->dump);
    if (row == NULL)
        return HST_E_NOMEM;
    if (hst_runtime_gil(runtime, tstate->interpreter, &gil) != HST_OK)
        gil = (struct hst_gil){0};
    row->native_id = (uint32_t)(thread != NULL ? (uint64_t)thread->tid : tstate->native_id);
    row->interpreter_id = tstate->interpreter_id;
    row->crashed = thread != NULL && core->signal != 0 && thread == &core->threads[0];
    if (thread != NULL) {
        struct hst_thread_call call = {.known = 1, .blocked = thread->in_call, .number = thread->call};
        memcpy(call.arguments, thread->arguments, sizeof call.arguments);
        hst_dump_set_call(runtime, &gil, &call, row);
    }
    hst_dump_set_flags(runtime, &gil, tstate, row);
    const char *name = hst_thread_names_find(&reader->names, tstate->thread_id);
    row->name = hst_strdup(name != NULL ? name : row->native_id == reader->dump->pid ? "MainThread" : "");
    if (row->name == NULL)
        return HST_E_NOMEM;
    return hst_dump_read_stack(reader, tstate, row);
}

static enum hst_status read_threads(const struct hst_core *core, const struct hst_runtime *runtime,
                                    int variables, struct hst_dump *dump)
{
    struct hst_dump_reader reader;
    HST_TRY(hst_dump_reader_init(&reader, runtime, dump, variables, STACK_TRIES));
    enum hst_status status = HST_OK;
    for (size_t i = 0; i < reader.tstate_count && status == HST_OK; i++)
        status = add_thread(&reader, core, &reader.tstates[i]);
    for (size_t i = 0; i < core->thread_count; i++) {
        int known = 0;
        for (size_t k = 0; k < reader.tstate_count && !known; k++)
            known = thread_of(core, &reader.tstates[k]) == &core->threads[i];
        dump->threads_lacking += !known;
    }
    hst_dump_reader_release(&reader);
    hst_dump_sort_threads(dump);
    return status;
}

static enum hst_status fill_head(const char *path, const struct hst_core *core, const char *root,
                                 struct hst_dump *dump)
{
    dump->pid = (uint32_t)core->pid;
    dump->command = hst_strdup(core->command);
    dump->core = hst_strdup(path);
    dump->root = hst_strdup(root);
    dump->directory = hst_strdup("."); /* a core does not tell where the program was */
    dump->start_wall_ns = core->written_wall_ns;
    dump->end = (struct hst_dump_end){.signal = core->signal,
                                      .has_address = core->has_address,
                                      .address = core->address,
                                      .cut_bytes = core->cut_bytes};
    return dump->command != NULL && dump->core != NULL && dump->root != NULL && dump->directory != NULL
               ? HST_OK
               : HST_E_NOMEM;
}

static enum hst_status explain(const char *path, const struct hst_core *core, enum hst_status status,
                               struct hst_error *err)
{
    const char *why, *missing = hst_core_missing(core, &why);
    if (status == HST_E_NOMEM)
        return hst_error_set(err, status, "out of memory");
    struct hst_error found = *err;
    if (found.text[0] == '\0')
        (void)snprintf(found.text, sizeof found.text, "%s",
                       status == HST_E_BUSY ? "its Python had not started yet, or had ended"
                                            : "what Python keeps of itself does not hold together in it");
    status =
        hst_error_set(err, HST_E_UNSUPPORTED, "core file %.200s (%s): %s", path, core->command, found.text);
    if (missing != NULL)
        hst_error_hint(err,
                       "the program's own files are needed, and %.300s %s; --root DIR says where they are",
                       missing, why);
    else if (core->cut_bytes > 0)
        hst_error_hint(
            err,
            "ulimit -c unlimited before the program starts: %llu bytes are missing at the end of this file",
            (unsigned long long)core->cut_bytes);
    else
        hst_error_hint(err, "%s",
                       found.hint[0] != '\0' ? found.hint : "a core file of a Python program is wanted");
    return status;
}

enum hst_status hst_dump_read_core(const char *path, const struct hst_dump_options *options,
                                   struct hst_dump *dump, struct hst_error *err)
{
    struct hst_core core;
    struct hst_runtime runtime;
    const char *root = options->root != NULL ? options->root : "";
    HST_TRY(hst_core_open(path, root, &core, err));
    *err = (struct hst_error){0};
    enum hst_status status = fill_head(path, &core, root, dump);
    if (status == HST_OK) /* the names in core.maps begin with root already */
        status = hst_runtime_find(core.memory, &core.maps, "", &runtime, err);
    if (status == HST_OK)
        status = read_threads(&core, &runtime, options->variables, dump);
    const char *why, *missing = hst_core_missing(&core, &why);
    if (missing != NULL) {
        (void)snprintf(dump->end.missing_file, sizeof dump->end.missing_file, "%s", missing);
        (void)snprintf(dump->end.missing_why, sizeof dump->end.missing_why, "%s", why);
    }
    if (status != HST_OK)
        status = explain(path, &core, status, err);
    hst_core_release(&core);
    return status;
}
