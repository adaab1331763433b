/* sys.modules["threading"]._active is a dict of thread id -> Thread, whose attribute _name is wanted: the
 * same from 3.8 to 3.15, only the layouts differ. */
#include "reader/thread_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "reader/dict.h"
#include "reader/number.h"
#include "reader/text.h"

enum {
    INTERPRETERS_MAX = 256,
    MODULES_MAX = 1 << 16,
    GLOBALS_MAX = 4096,
    THREADS_MAX = 1 << 16,
    ATTRIBUTES_MAX = 256,
    NAME_CHARACTERS_MAX = 128,
};

#define CLEANUP_ENTRIES HST_CLEANUP(hst_dict_entries_release)

void hst_thread_names_release(struct hst_thread_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        hst_free(names->items[i].name);
    hst_free(names->items);
    *names = (struct hst_thread_names){0};
}

/* The dict threading._active of an interpreter. HST_E_NOENT: no threading there (yet). */
static enum hst_status find_active(const struct hst_runtime *runtime, hst_raddr interpreter,
                                   hst_raddr *ret_active)
{
    const struct hst_abi *abi = &runtime->abi;
    CLEANUP_ENTRIES struct hst_dict_entries modules = {0};
    CLEANUP_ENTRIES struct hst_dict_entries globals = {0};
    hst_raddr table;
    HST_TRY(hst_memory_read_u64(runtime->memory, interpreter + abi->interp_modules, &table));
    if (table == 0)
        return HST_E_NOENT;
    HST_TRY(hst_dict_read(runtime->memory, abi, table, MODULES_MAX, &modules));
    hst_raddr module = hst_dict_find(runtime->memory, abi, &modules, "threading");
    if (module == 0)
        return HST_E_NOENT;
    /* md_dict is a module object's first field. */
    HST_TRY(hst_memory_read_u64(runtime->memory, module + abi->object_size, &table));
    HST_TRY(hst_dict_read(runtime->memory, abi, table, GLOBALS_MAX, &globals));
    hst_raddr active = hst_dict_find(runtime->memory, abi, &globals, "_active");
    *ret_active = active;
    return active != 0 ? HST_OK : HST_E_NOENT;
}

static enum hst_status add_thread(const struct hst_runtime *runtime, const struct hst_dict_entry *entry,
                                  uint64_t interpreter_id, struct hst_thread_names *names)
{
    const struct hst_abi *abi = &runtime->abi;
    CLEANUP_ENTRIES struct hst_dict_entries attributes = {0};
    struct hst_thread_name row = {.interpreter_id = interpreter_id};
    HST_TRY(hst_number_read_u64(runtime->memory, abi, entry->key, &row.thread_id));
    HST_TRY(hst_dict_read_attributes(runtime->memory, abi, entry->value, ATTRIBUTES_MAX, &attributes));
    hst_raddr text_at = hst_dict_find(runtime->memory, abi, &attributes, "_name");
    if (text_at == 0)
        return HST_E_NOENT;
    HST_CLEANUP(hst_buffer_release) struct hst_buffer text;
    hst_buffer_init(&text, NAME_CHARACTERS_MAX * 4 + 16);
    HST_TRY(hst_text_read(runtime->memory, abi, text_at, NAME_CHARACTERS_MAX, &text));
    if (!HST_RESERVE(names->items, names->capacity, names->count + 1))
        return HST_E_NOMEM;
    row.name = hst_strndup(text.data != NULL ? (const char *)text.data : "", text.length);
    if (row.name == NULL)
        return HST_E_NOMEM;
    names->items[names->count++] = row;
    return HST_OK;
}

static enum hst_status add_interpreter(const struct hst_runtime *runtime, hst_raddr interpreter, uint64_t id,
                                       struct hst_thread_names *names)
{
    CLEANUP_ENTRIES struct hst_dict_entries active = {0};
    hst_raddr dict;
    enum hst_status status = find_active(runtime, interpreter, &dict);
    if (status == HST_OK)
        status = hst_dict_read(runtime->memory, &runtime->abi, dict, THREADS_MAX, &active);
    for (size_t i = 0; status == HST_OK && i < active.count; i++) {
        /* A thread that ends while it is read goes without a name, and so does one of a class that hides it.
         */
        enum hst_status one = add_thread(runtime, &active.items[i], id, names);
        if (one == HST_E_NOMEM || one == HST_E_GONE || one == HST_E_PERM)
            status = one;
    }
    /* A word that is no dict is memory in the middle of a change. */
    return status == HST_E_NOENT ? HST_OK : status == HST_E_INVALID ? HST_E_TORN : status;
}

static int compare_names(const void *left, const void *right)
{
    const struct hst_thread_name *a = left, *b = right;
    if (a->thread_id != b->thread_id)
        return a->thread_id < b->thread_id ? -1 : 1;
    return a->interpreter_id < b->interpreter_id ? -1 : a->interpreter_id > b->interpreter_id;
}

enum hst_status hst_thread_names_read(const struct hst_runtime *runtime, struct hst_thread_names *ret_names)
{
    const struct hst_abi *abi = &runtime->abi;
    HST_CLEANUP(hst_thread_names_release) struct hst_thread_names names = {0};
    hst_raddr interpreter;
    HST_TRY(hst_memory_read_u64(runtime->memory, runtime->address + abi->runtime_interpreters_head,
                                &interpreter));
    for (size_t i = 0; interpreter != 0 && i < INTERPRETERS_MAX; i++) {
        uint64_t next, id;
        struct hst_piece pieces[] = {{interpreter + abi->interp_next, &next, 8},
                                     {interpreter + abi->interp_id, &id, 8}};
        HST_TRY(hst_memory_read_pieces(runtime->memory, pieces, 2));
        HST_TRY(add_interpreter(runtime, interpreter, id, &names));
        interpreter = next;
    }
    if (names.count > 0)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    hst_thread_names_release(ret_names);
    *ret_names = names;
    names = (struct hst_thread_names){0};
    return HST_OK;
}

const char *hst_thread_names_find(const struct hst_thread_names *names, uint64_t thread_id)
{
    size_t low = 0, high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->items[middle].thread_id < thread_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < names->count && names->items[low].thread_id == thread_id ? names->items[low].name : NULL;
}
