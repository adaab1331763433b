/* Finds and validates the CPython of a process. */
#include "reader/runtime.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "target/symbols.h"

enum {
    INTERPRETERS_MAX = 4096,
    THREADS_MAX = 1 << 16,
    SCAN_BYTES_MAX = 16 << 20,
    LISTING_BYTES_MAX = HST_ABI_TSTATE_SPAN_MAX + 16,
    BOTH_BYTES_MAX = 1024,
    GIL_FIELDS_BYTES = 272, /* the offsets of a layout are at most 256 */
};

/* The image with the runtime, and what the search met on its way. */
struct search {
    struct hst_elf image;
    hst_raddr runtime;
    const char *other; /* a Python that is not ours to read, by name; NULL = none met */
    char other_text[160];
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The minor version in "python3.11", "libpython3.11.so.1.0 (deleted)"; 0 = none there. */
static unsigned minor_in_name(const char *path)
{
    const char *at = strstr(base_name(path), "python3.");
    return at != NULL ? (unsigned)strtoul(at + strlen("python3."), NULL, 10) : 0;
}

static int may_hold_python(const struct hst_mapping *m)
{
    const char *name = base_name(m->path);
    /* System libraries are passed over: a look into each costs a few reads. */
    static const char *const never[] = {"ld-",        "libc.so", "libc-",   "libm.so", "libm-",
                                        "libpthread", "libdl",   "libutil", "libz.",   "libssl",
                                        "libcrypto",  "[",       "ld.so"};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(never); i++)
        if (strncmp(name, never[i], strlen(never[i])) == 0)
            return 0;
    return m->offset == 0 && (m->flags & HST_MAP_READ) != 0 && m->path[0] == '/' &&
           strstr(name, "cpython-3") == NULL;
}

/* Other Pythons, known by a symbol of theirs. */
static void notice_other(struct hst_memory *memory, const struct hst_elf *image, struct search *search)
{
    static const struct {
        const char *symbol, *name;
    } others[] = {
        {"pypy_main_startup", "PyPy"},
        {"rpython_startup_code", "PyPy"},
        {"PyPyGILState_Ensure", "PyPy"},
        {"PyString_FromString", "CPython 2"},
        {"_PyThreadState_Current", "CPython 3.6 or older"},
        {"_PyGC_generation0", "CPython 3.6 or older"},
    };
    for (size_t i = 0; i < HST_ARRAY_LENGTH(others) && search->other == NULL; i++)
        if (hst_elf_symbol(memory, image, others[i].symbol) != 0)
            search->other = others[i].name;
    const char *at = strstr(base_name(image->path), "python");
    if (search->other != NULL && at != NULL && isdigit((unsigned char)at[6])) {
        char *end;
        unsigned long major = strtoul(at + 6, &end, 10);
        if (*end == '.') {
            (void)snprintf(search->other_text, sizeof search->other_text, "CPython %lu.%lu", major,
                           strtoul(end + 1, NULL, 10));
            search->other = search->other_text;
        }
    }
}

static int look_in_image(struct hst_memory *memory, const struct hst_mapping *m, const char *root,
                         struct search *search)
{
    struct hst_elf image;
    if (hst_elf_read(memory, m, &image) != HST_OK)
        return 0;
    hst_raddr found = hst_elf_symbol(memory, &image, "_PyRuntime");
    if (found == 0 && strstr(base_name(m->path), "python") != NULL) {
        HST_CLEANUP_FREE char *path = hst_asprintf("%s%s", root, m->path);
        if (path != NULL)
            found = hst_file_symbol(path, &image, "_PyRuntime", ".PyRuntime");
    }
    if (found == 0) {
        notice_other(memory, &image, search);
        return 0;
    }
    search->image = image;
    search->runtime = found;
    return 1;
}

/* libpython first, since it is where the symbol is when there is one; then all else in order. */
static int find_image(struct hst_memory *memory, const struct hst_maps *maps, const char *root,
                      struct search *search)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < maps->count; i++) {
            const struct hst_mapping *m = &maps->items[i];
            int is_library = strncmp(base_name(m->path), "libpython3.", 11) == 0;
            if (is_library == (pass == 0) && may_hold_python(m) && look_in_image(memory, m, root, search))
                return 1;
        }
    return 0;
}

/* "3.9.18" as a whole text among the constants of the image; versions before 3.11 export no number. */
static void find_version_text(struct hst_memory *memory, const struct hst_maps *maps,
                              const struct hst_elf *image, unsigned minor, char *into, size_t size)
{
    char wanted[16];
    int length = snprintf(wanted, sizeof wanted, "3.%u.", minor);
    for (size_t i = 0; i < maps->count; i++) {
        const struct hst_mapping *m = &maps->items[i];
        size_t bytes = m->end - m->start;
        if (strcmp(m->path, image->path) != 0 || (m->flags & HST_MAP_READ) == 0 || bytes > SCAN_BYTES_MAX)
            continue;
        HST_CLEANUP_FREE char *copy = hst_alloc(bytes, 1);
        if (copy == NULL || hst_memory_read(memory, m->start, copy, bytes) != HST_OK)
            continue;
        for (char *at = copy; (at = memmem(at, bytes - (size_t)(at - copy), wanted, (size_t)length)) != NULL;
             at++) {
            size_t rest = bytes - (size_t)(at - copy), n = 0;
            while (n < rest && n + 1 < size &&
                   (isalnum((unsigned char)at[n]) || at[n] == '.' || at[n] == '+'))
                n++;
            if (at > copy && !isalnum((unsigned char)at[-1]) && at[-1] != '.' && n < rest && at[n] == '\0' &&
                n > (size_t)length && isdigit((unsigned char)at[length])) {
                memcpy(into, at, n);
                into[n] = '\0';
                return;
            }
        }
    }
}

/* PY_VERSION_HEX -> text. */
static void version_from_hex(uint64_t hex, char *into, size_t size)
{
    static const char *const levels[16] = {[0xa] = "a", [0xb] = "b", [0xc] = "rc"};
    unsigned level = hex >> 4 & 15;
    int length = snprintf(into, size, "3.%u.%u", (unsigned)(hex >> 16 & 255), (unsigned)(hex >> 8 & 255));
    if (levels[level] != NULL && length > 0 && (size_t)length < size)
        (void)snprintf(into + length, size - (size_t)length, "%s%u", levels[level], (unsigned)(hex & 15));
}

static enum hst_status unsupported(struct hst_error *err, const char *what)
{
    (void)hst_error_set(err, HST_E_UNSUPPORTED, "this is %s; hasten reads CPython 3.8 and later", what);
    hst_error_hint(err, "run the program with a newer CPython, for example: hasten run -- python3 script.py");
    return HST_E_UNSUPPORTED;
}

/* The layout: from the target itself, else from the table of the version that a symbol or the file's name
 * says. */
static enum hst_status choose_layout(struct hst_runtime *runtime, const struct hst_maps *maps,
                                     const struct search *search, struct hst_error *err)
{
    uint8_t head[HST_DEBUG_OFFSETS_BYTES];
    HST_TRY(hst_memory_read(runtime->memory, runtime->address, head, sizeof head));
    if (memcmp(head, HST_DEBUG_OFFSETS_COOKIE, 8) == 0) {
        HST_TRY(hst_abi_from_debug_offsets(head, sizeof head, &runtime->abi, err));
        uint64_t hex;
        memcpy(&hex, head + 8, sizeof hex);
        version_from_hex(hex, runtime->version, sizeof runtime->version);
        runtime->newer_than_known = runtime->abi.minor > HST_ABI_NEWEST_MINOR;
        return HST_OK;
    }
    uint64_t hex = 0;
    hst_raddr symbol = hst_elf_symbol(runtime->memory, &search->image, "Py_Version");
    if (symbol != 0)
        HST_TRY(hst_memory_read_u64(runtime->memory, symbol, &hex));
    unsigned minor = hex != 0 ? (unsigned)(hex >> 16 & 255) : minor_in_name(search->image.path);
    if (minor == 0) { /* an executable under another name: ask its constants */
        for (unsigned m = HST_ABI_OLDEST_MINOR - 2; m <= 12 && runtime->version[0] == '\0'; m++)
            find_version_text(runtime->memory, maps, &search->image, minor = m, runtime->version,
                              sizeof runtime->version);
    }
    const struct hst_abi *abi = hst_abi_find(minor, 0);
    if (abi == NULL) {
        char what[64];
        (void)snprintf(what, sizeof what, "CPython 3.%u", minor);
        return unsupported(err, what);
    }
    runtime->abi = *abi;
    if (hex != 0)
        version_from_hex(hex, runtime->version, sizeof runtime->version);
    else if (runtime->version[0] == '\0')
        find_version_text(runtime->memory, maps, &search->image, minor, runtime->version,
                          sizeof runtime->version);
    if (runtime->version[0] == '\0')
        (void)snprintf(runtime->version, sizeof runtime->version, "3.%u", minor);
    return HST_OK;
}

/* The first interpreter's first thread points back to its interpreter: the layout fits. */
static enum hst_status validate(const struct hst_runtime *runtime, struct hst_error *err)
{
    const struct hst_abi *abi = &runtime->abi;
    uint64_t interpreter, thread, back;
    HST_TRY(hst_memory_read_u64(runtime->memory, runtime->address + abi->runtime_interpreters_head,
                                &interpreter));
    if (interpreter == 0)
        return HST_E_BUSY;
    if (hst_memory_read_u64(runtime->memory, interpreter + abi->interp_threads_head, &thread) != HST_OK)
        return hst_error_set(err, HST_E_UNSUPPORTED,
                             "CPython %s: its list of interpreters is not where expected", runtime->version);
    if (thread == 0)
        return HST_E_BUSY;
    if (hst_memory_read_u64(runtime->memory, thread + abi->tstate_interp, &back) != HST_OK ||
        back != interpreter) {
        (void)hst_error_set(err, HST_E_UNSUPPORTED,
                            "CPython %s: its list of threads is not laid out as expected", runtime->version);
        hst_error_hint(err, "is it a debug build or a patched one? --version says which versions are known");
        return HST_E_UNSUPPORTED;
    }
    return HST_OK;
}

enum hst_status hst_runtime_find(struct hst_memory *memory, const struct hst_maps *maps, const char *root,
                                 struct hst_runtime *ret_runtime, struct hst_error *err)
{
    struct search search = {0};
    if (!find_image(memory, maps, root, &search)) {
        if (search.other != NULL)
            return unsupported(err, search.other);
        (void)hst_error_set(err, HST_E_UNSUPPORTED, "no Python was found in this process");
        return HST_E_UNSUPPORTED;
    }
    struct hst_runtime runtime = {.memory = memory, .address = search.runtime};
    HST_TRY(choose_layout(&runtime, maps, &search, err));
    runtime.code_type = hst_elf_symbol(memory, &search.image, "PyCode_Type");
    HST_TRY(validate(&runtime, err));
    *ret_runtime = runtime;
    return HST_OK;
}

/* The fields of a thread state that list it lie close together, and one piece is read twice as fast as four.
 */
struct window {
    uint32_t from, length;
};

static struct window listing_window(const struct hst_abi *abi)
{
    const uint32_t fields[] = {abi->tstate_next, abi->tstate_interp, abi->tstate_thread_id,
                               abi->tstate_native_thread_id != 0 ? abi->tstate_native_thread_id
                                                                 : abi->tstate_thread_id};
    struct window w = {.from = fields[0]};
    uint32_t to = 0;
    for (size_t i = 0; i < HST_ARRAY_LENGTH(fields); i++) {
        w.from = fields[i] < w.from ? fields[i] : w.from;
        to = fields[i] + 8 > to ? fields[i] + 8 : to;
    }
    w.length = to - w.from;
    return w;
}

static enum hst_status read_tstate(const struct hst_runtime *runtime, struct window window, hst_raddr at,
                                   struct hst_tstate *into, hst_raddr *ret_next, hst_raddr *ret_interpreter)
{
    const struct hst_abi *abi = &runtime->abi;
    uint8_t bytes[LISTING_BYTES_MAX];
    if (window.length > sizeof bytes)
        return HST_E_INVALID;
    HST_TRY(hst_memory_read(runtime->memory, at + window.from, bytes, window.length));
    memcpy(ret_next, bytes + (abi->tstate_next - window.from), sizeof *ret_next);
    memcpy(ret_interpreter, bytes + (abi->tstate_interp - window.from), sizeof *ret_interpreter);
    memcpy(&into->thread_id, bytes + (abi->tstate_thread_id - window.from), sizeof into->thread_id);
    if (abi->tstate_native_thread_id != 0)
        memcpy(&into->native_id, bytes + (abi->tstate_native_thread_id - window.from),
               sizeof into->native_id);
    return HST_OK;
}

/* Appends the threads of one interpreter. */
static enum hst_status list_threads(const struct hst_runtime *runtime, hst_raddr interpreter, uint64_t id,
                                    struct hst_tstate **threads, size_t *capacity, size_t *count)
{
    const struct window window = listing_window(&runtime->abi);
    hst_raddr at;
    HST_TRY(hst_memory_read_u64(runtime->memory, interpreter + runtime->abi.interp_threads_head, &at));
    while (at != 0) {
        struct hst_tstate t = {.address = at, .interpreter = interpreter, .interpreter_id = id};
        hst_raddr back;
        HST_TRY(read_tstate(runtime, window, t.address, &t, &at, &back));
        if (back != interpreter || *count >= THREADS_MAX)
            return HST_E_TORN; /* a thread ended while the list was walked */
        if (!HST_RESERVE(*threads, *capacity, *count + 1))
            return HST_E_NOMEM;
        (*threads)[(*count)++] = t;
    }
    return HST_OK;
}

enum hst_status hst_runtime_threads(const struct hst_runtime *runtime, struct hst_tstate **ret_threads,
                                    size_t *ret_count)
{
    const struct hst_abi *abi = &runtime->abi;
    HST_CLEANUP_FREE struct hst_tstate *threads = NULL;
    size_t capacity = 0, count = 0;
    hst_raddr interpreter;
    HST_TRY(hst_memory_read_u64(runtime->memory, runtime->address + abi->runtime_interpreters_head,
                                &interpreter));
    for (size_t i = 0; interpreter != 0 && i < INTERPRETERS_MAX; i++) {
        uint64_t next, id;
        struct hst_piece pieces[] = {{interpreter + abi->interp_next, &next, sizeof next},
                                     {interpreter + abi->interp_id, &id, sizeof id}};
        HST_TRY(hst_memory_read_pieces(runtime->memory, pieces, 2));
        HST_TRY(list_threads(runtime, interpreter, id, &threads, &capacity, &count));
        interpreter = next;
    }
    *ret_threads = HST_TAKE(threads);
    *ret_count = count;
    return HST_OK;
}

/* Where an interpreter's lock is: its own, or the one that all share (to 3.11). */
static enum hst_status find_gil(const struct hst_runtime *runtime, hst_raddr interpreter,
                                hst_raddr *ret_address)
{
    const struct hst_abi *abi = &runtime->abi;
    if (abi->interp_gil_pointer == 0)
        *ret_address = runtime->address + abi->runtime_gil;
    else
        HST_TRY(hst_memory_read_u64(runtime->memory, interpreter + abi->interp_gil_pointer, ret_address));
    return *ret_address != 0 ? HST_OK : HST_E_TORN;
}

/* Reads two small things by one piece if they lie close together: a piece costs as much as some kilobytes. */
static enum hst_status read_both(const struct hst_runtime *runtime, struct hst_piece first,
                                 struct hst_piece second)
{
    uint8_t bytes[BOTH_BYTES_MAX];
    if (second.address < first.address) {
        struct hst_piece other = first;
        first = second;
        second = other;
    }
    uint64_t length = second.address + second.length - first.address;
    if (length > sizeof bytes || length < first.length)
        return hst_memory_read_pieces(runtime->memory, (struct hst_piece[]){first, second}, 2);
    HST_TRY(hst_memory_read(runtime->memory, first.address, bytes, length));
    memcpy(first.into, bytes, first.length);
    memcpy(second.into, bytes + (length - second.length), second.length);
    return HST_OK;
}

enum hst_status hst_runtime_gil(const struct hst_runtime *runtime, hst_raddr interpreter, struct hst_gil *gil)
{
    const struct hst_abi *abi = &runtime->abi;
    struct hst_gil now = {.address = gil->address};
    hst_raddr collecting_at = abi->interp_gc_collecting != 0 ? interpreter + abi->interp_gc_collecting
                                                             : runtime->address + abi->runtime_gc_collecting;
    struct hst_piece collecting = {collecting_at, &now.collecting, sizeof(int32_t)};
    if (abi->free_threaded) {
        HST_TRY(hst_memory_read_pieces(runtime->memory, &collecting, 1));
        *gil = now;
        return HST_OK;
    }
    if (now.address == 0)
        HST_TRY(find_gil(runtime, interpreter, &now.address));
    uint32_t first = abi->gil_holder < abi->gil_locked ? abi->gil_holder : abi->gil_locked;
    uint32_t last = abi->gil_holder < abi->gil_locked ? abi->gil_locked + 4 : abi->gil_holder + 8;
    uint8_t fields[GIL_FIELDS_BYTES];
    if (last - first > sizeof fields)
        return HST_E_INVALID;
    HST_TRY(read_both(runtime, (struct hst_piece){now.address + first, fields, last - first}, collecting));
    uint64_t holder;
    int32_t locked;
    memcpy(&holder, fields + (abi->gil_holder - first), sizeof holder);
    memcpy(&locked, fields + (abi->gil_locked - first), sizeof locked);
    now.holder = locked > 0 ? holder : 0;
    *gil = now;
    return HST_OK;
}
