/* Spells paths. */
#include "analyze/heap_path.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/nearest.h"

enum { STEPS_BEGIN = 6, STEPS_END = 10 }; /* of a long path that are shown */

enum hst_status hst_heap_path_find(struct hst_heap_view *view, uint32_t object,
                                   struct hst_heap_step **ret_steps, size_t *ret_count)
{
    HST_TRY(hst_heap_view_need(view, HST_HEAP_PATHS));
    size_t length = 1;
    uint32_t at = object;
    for (; view->before[at] != HST_HEAP_NONE && length <= view->heap->count; at = view->before[at])
        length++;
    if (hst_heap_view_root(view, at) == NULL)
        length = 0;
    struct hst_heap_step *steps = hst_alloc(length + 1, sizeof *steps);
    if (steps == NULL)
        return HST_E_NOMEM;
    at = object;
    for (size_t i = length; i-- > 0; at = view->before[at])
        steps[i] = (struct hst_heap_step){.edge = view->via[at], .object = at};
    *ret_steps = steps;
    *ret_count = length;
    return HST_OK;
}

uint32_t hst_heap_path_source(const struct hst_heap *heap, uint32_t edge)
{
    uint32_t low = 0, high = (uint32_t)heap->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (heap->first[middle] <= edge)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* --- values ------------------------------------------------------------------------------------------ */

static void add_quoted(struct hst_buffer *into, const char *text, size_t length)
{
    hst_buffer_add_byte(into, '\'');
    for (size_t i = 0; i < length; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c == '\'' || c == '\\')
            hst_buffer_add_byte(into, '\\');
        if (c == '\n')
            hst_buffer_add_text(into, "\\n");
        else if (c < 0x20 || c == 0x7f)
            hst_buffer_add_fmt(into, "\\x%02x", c);
        else
            hst_buffer_add_byte(into, c);
    }
    hst_buffer_add_text(into, length >= HST_HEAP_VALUE_BYTES ? "...'" : "'");
}

void hst_heap_path_add_value(const struct hst_heap_view *view, uint32_t object, struct hst_buffer *into)
{
    size_t length;
    const char *text = hst_heap_value(view->heap, object, &length);
    int kind = hst_heap_view_kind(view, object);
    if (text == NULL)
        return;
    if (kind == HST_HEAP_BYTES)
        hst_buffer_add_byte(into, 'b');
    if (kind == HST_HEAP_STR || kind == HST_HEAP_BYTES)
        add_quoted(into, text, length);
    else
        hst_buffer_add(into, text, length);
}

/* --- places ------------------------------------------------------------------------------------------ */

static int ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* What keeps its names in a dict, where the dict hangs: a module, an instance, a type, a function. */
int hst_heap_path_leads_to_names(const struct hst_heap_view *view, uint32_t source, uint32_t edge)
{
    const struct hst_heap *heap = view->heap;
    uint32_t target = heap->targets[edge];
    if (hst_heap_view_kind(view, target) != HST_HEAP_DICT)
        return 0;
    if (hst_map_find(&view->module_dicts, target) == source)
        return 1;
    enum hst_place_kind kind = hst_place_kind_of(heap->places[edge]);
    const char *name = hst_heap_place_name(heap, heap->types[source], heap->places[edge]);
    return (kind == HST_PLACE_FIELD || kind == HST_PLACE_ATTRIBUTE) && name != NULL &&
           (strcmp(name, "__dict__") == 0 || ends_with(name, "_dict"));
}

static int is_identifier(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!(c == '_' || c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (i > 0 && c >= '0' && c <= '9')))
            return 0;
    }
    return length > 0 && length < HST_HEAP_VALUE_BYTES;
}

/* The key of an entry; HST_HEAP_NONE: it is no known object. */
uint32_t hst_heap_path_key(const struct hst_heap *heap, uint32_t source, uint32_t edge)
{
    uint32_t index = hst_place_index_of(heap->places[edge]);
    if (edge > heap->first[source] && heap->places[edge - 1] == hst_place_of(HST_PLACE_KEY, index))
        return heap->targets[edge - 1];
    return HST_HEAP_NONE;
}

static void add_key(const struct hst_heap_view *view, uint32_t key, struct hst_buffer *into)
{
    size_t length;
    if (key == HST_HEAP_NONE)
        hst_buffer_add_text(into, "?");
    else if (hst_heap_value(view->heap, key, &length) != NULL)
        hst_heap_path_add_value(view, key, into);
    else
        hst_buffer_add_fmt(into, "<%s>", hst_heap_type_name(view->heap, view->heap->types[key]));
}

/* A variable's name: the code of the frame has it, in a tuple of names (three of them up to 3.10). */
static int add_variable(const struct hst_heap_view *view, uint32_t source, uint32_t index,
                        struct hst_buffer *into)
{
    static const char *const tuples[] = {"co_localsplusnames", "co_varnames", "co_cellvars", "co_freevars"};
    const struct hst_heap *heap = view->heap;
    uint32_t code = HST_HEAP_NONE;
    for (uint32_t edge = heap->first[source]; edge < heap->first[source + 1] && code == HST_HEAP_NONE; edge++)
        if (hst_place_kind_of(heap->places[edge]) == HST_PLACE_FIELD &&
            hst_heap_view_kind(view, heap->targets[edge]) == HST_HEAP_CODE)
            code = heap->targets[edge];
    for (size_t t = 0; t < HST_ARRAY_LENGTH(tuples) && code != HST_HEAP_NONE; t++)
        for (uint32_t edge = heap->first[code]; edge < heap->first[code + 1]; edge++) {
            const char *name = hst_heap_place_name(heap, heap->types[code], heap->places[edge]);
            uint32_t names = heap->targets[edge];
            if (name == NULL || strcmp(name, tuples[t]) != 0)
                continue;
            uint32_t items = heap->first[names + 1] - heap->first[names];
            if (index >= items) {
                index -= items;
                break;
            }
            size_t length;
            const char *text = hst_heap_value(heap, heap->targets[heap->first[names] + index], &length);
            if (text == NULL)
                return 0;
            hst_buffer_add_byte(into, '.');
            hst_buffer_add(into, text, length);
            return 1;
        }
    return 0;
}

static void add_named(const struct hst_heap_view *view, uint32_t source, uint32_t edge,
                      struct hst_buffer *into)
{
    const struct hst_heap *heap = view->heap;
    hst_place place = heap->places[edge];
    uint32_t index = hst_place_index_of(place);
    const char *name = hst_heap_place_name(heap, heap->types[source], place);
    if (name != NULL)
        hst_buffer_add_fmt(into, ".%s", name);
    else if (hst_place_kind_of(place) == HST_PLACE_VARIABLE) {
        if (!add_variable(view, source, index, into))
            hst_buffer_add_fmt(into, ".<variable %u>", index);
    } else if (hst_place_kind_of(place) == HST_PLACE_ATTRIBUTE)
        hst_buffer_add_fmt(into, ".<attribute %u>", index);
    else if (hst_place_kind_of(place) == HST_PLACE_BUFFER)
        hst_buffer_add_fmt(into, ".<buffer>[%u]", index);
    else
        hst_buffer_add_fmt(into, ".<field at %llu>", (unsigned long long)index * 8);
}

void hst_heap_path_add_place(const struct hst_heap_view *view, uint32_t source, uint32_t edge, int general,
                             struct hst_buffer *into)
{
    const struct hst_heap *heap = view->heap;
    if (heap->places == NULL) {
        hst_buffer_add_text(into, "[?]");
        return;
    }
    enum hst_place_kind kind = hst_place_kind_of(heap->places[edge]);
    uint32_t key = kind == HST_PLACE_KEY ? heap->targets[edge] : hst_heap_path_key(heap, source, edge);
    if (kind == HST_PLACE_ITEM && general)
        hst_buffer_add_text(into, "[*]");
    else if (kind == HST_PLACE_ITEM)
        hst_buffer_add_fmt(into, "[%u]", hst_place_index_of(heap->places[edge]));
    else if (kind == HST_PLACE_VALUE || kind == HST_PLACE_KEY) {
        hst_buffer_add_text(into, kind == HST_PLACE_KEY ? ".<key " : "[");
        if (general)
            hst_buffer_add_byte(into, '*');
        else
            add_key(view, key, into);
        hst_buffer_add_byte(into, kind == HST_PLACE_KEY ? '>' : ']');
    } else if (hst_heap_view_kind(view, source) != HST_HEAP_CELL)
        add_named(view, source, edge, into);
}

/* --- paths ------------------------------------------------------------------------------------------- */

void hst_heap_path_add_root(const struct hst_heap_view *view, const struct hst_heap_root *root,
                            struct hst_buffer *into)
{
    static const char *const kinds[] = {"module", "local", "interpreter", "static", "C code"};
    const struct hst_heap *heap = view->heap;
    const char *name = hst_strings_get(&heap->strings, root->name);
    int modules = root->kind == HST_ROOT_MODULE && hst_heap_view_kind(view, root->object) == HST_HEAP_DICT;
    int frame = root->kind == HST_ROOT_FRAME && strstr(name, ": ") == NULL; /* no variable of it */
    hst_buffer_add_text(into, modules                                ? "sys.modules"
                              : frame                                ? "frame"
                              : root->kind < HST_ARRAY_LENGTH(kinds) ? kinds[root->kind]
                                                                     : "root");
    if (!modules && name[0] != '\0')
        hst_buffer_add_fmt(into, " %s", name);
    else if (!modules)
        hst_buffer_add_fmt(into, " <%s>", hst_heap_type_name(heap, heap->types[root->object]));
}

/* The key of sys.modules under which a module stands, without quotes; or the name of a module that is a root.
 */
static int add_module(const struct hst_heap_view *view, const struct hst_heap_step *step,
                      struct hst_buffer *into)
{
    const struct hst_heap *heap = view->heap;
    size_t length;
    uint32_t source = step->edge != HST_HEAP_NONE ? hst_heap_path_source(heap, step->edge) : HST_HEAP_NONE;
    uint32_t key = source != HST_HEAP_NONE && heap->places != NULL &&
                           hst_place_kind_of(heap->places[step->edge]) == HST_PLACE_VALUE
                       ? hst_heap_path_key(heap, source, step->edge)
                       : HST_HEAP_NONE;
    const char *text = key != HST_HEAP_NONE ? hst_heap_value(heap, key, &length) : NULL;
    if (text == NULL)
        return 0;
    hst_buffer_add(into, text, length);
    return 1;
}

/* A step from a dict of names, by one of them: .name; false: it has to be said in another way. */
static int add_name(const struct hst_heap_view *view, uint32_t edge, struct hst_buffer *into)
{
    const struct hst_heap *heap = view->heap;
    size_t length;
    uint32_t key = hst_place_kind_of(heap->places[edge]) == HST_PLACE_VALUE
                       ? hst_heap_path_key(heap, hst_heap_path_source(heap, edge), edge)
                       : HST_HEAP_NONE;
    const char *text = key != HST_HEAP_NONE ? hst_heap_value(heap, key, &length) : NULL;
    if (text == NULL || hst_heap_view_kind(view, key) != HST_HEAP_STR || !is_identifier(text, length))
        return 0;
    hst_buffer_add_byte(into, '.');
    hst_buffer_add(into, text, length);
    return 1;
}

static size_t add_begin(const struct hst_heap_view *view, const struct hst_heap_step *steps, size_t count,
                        struct hst_buffer *into)
{
    const struct hst_heap_root *root = hst_heap_view_root(view, steps[0].object);
    if (root->kind == HST_ROOT_MODULE) {
        const char *name = hst_strings_get(&view->heap->strings, root->name);
        if (hst_heap_view_kind(view, steps[0].object) == HST_HEAP_MODULE && name[0] != '\0') {
            hst_buffer_add_text(into, name);
            return 1;
        }
        if (count > 1 && add_module(view, &steps[1], into))
            return 2;
    }
    hst_heap_path_add_root(view, root, into);
    return 1;
}

enum hst_status hst_heap_path_add_steps(const struct hst_heap_view *view, const struct hst_heap_step *steps,
                                        size_t count, int general, struct hst_buffer *into)
{
    const struct hst_heap *heap = view->heap;
    if (count == 0) {
        hst_buffer_add_text(into, "not reached from any root");
        return hst_buffer_status(into);
    }
    int cut = 0;
    for (size_t i = add_begin(view, steps, count, into); i < count; i++) {
        if (!cut && i >= STEPS_BEGIN && i + STEPS_END < count) {
            hst_buffer_add_fmt(into, " ... %zu more steps ... ", count - STEPS_END - i);
            i = count - STEPS_END;
            cut = 1;
        }
        uint32_t source = hst_heap_path_source(heap, steps[i].edge);
        if (heap->places != NULL && i + 1 < count &&
            hst_heap_path_leads_to_names(view, source, steps[i].edge) &&
            add_name(view, steps[i + 1].edge, into)) {
            i++;
            continue;
        }
        if (i + 1 < count || hst_map_find(&view->module_dicts, steps[i].object) != source)
            hst_heap_path_add_place(view, source, steps[i].edge, general, into);
    }
    return hst_buffer_status(into);
}

enum hst_status hst_heap_path_add(struct hst_heap_view *view, uint32_t object, struct hst_buffer *into)
{
    HST_CLEANUP_FREE struct hst_heap_step *steps = NULL;
    size_t count;
    HST_TRY(hst_heap_path_find(view, object, &steps, &count));
    return hst_heap_path_add_steps(view, steps, count, 0, into);
}

int hst_heap_path_is_of_module(const struct hst_heap_view *view, uint32_t object)
{
    while (view->before[object] != HST_HEAP_NONE) /* ends: it is a tree */
        object = view->before[object];
    const struct hst_heap_root *root = hst_heap_view_root(view, object);
    return root != NULL && root->kind == HST_ROOT_MODULE;
}

/* --- text -> object ---------------------------------------------------------------------------------- */

/* What a step may be called, tried one after the other; the nearest that does not fit is kept. */
struct search {
    const struct hst_heap_view *view;
    struct hst_buffer token, candidate;
    struct hst_nearest nearest;
    char near_text[64];
    uint32_t found;
};

static int fits(struct search *search, uint32_t target)
{
    struct hst_buffer *candidate = &search->candidate;
    hst_buffer_add_byte(candidate, '\0');
    if (candidate->failed)
        return 0;
    const char *text = (const char *)candidate->data, *best = search->nearest.best;
    int same = strcmp(text, (const char *)search->token.data) == 0;
    if (same)
        search->found = target;
    else if (candidate->length <= sizeof search->near_text) {
        hst_nearest_offer(&search->nearest, text);
        if (search->nearest.best != best)
            search->nearest.best = memcpy(search->near_text, text, candidate->length);
    }
    hst_buffer_clear(candidate);
    return same;
}

/* Follows the token from an object; HST_HEAP_NONE: nothing there is called so. */
static uint32_t follow(struct search *search, uint32_t object)
{
    const struct hst_heap_view *view = search->view;
    const struct hst_heap *heap = view->heap;
    if (hst_heap_view_kind(view, object) == HST_HEAP_CELL && heap->first[object] < heap->first[object + 1])
        object = heap->targets[heap->first[object]];
    for (uint32_t edge = heap->first[object]; edge < heap->first[object + 1]; edge++) {
        uint32_t names = heap->targets[edge];
        if (hst_heap_path_leads_to_names(view, object, edge))
            for (uint32_t name = heap->first[names]; name < heap->first[names + 1]; name++)
                if (add_name(view, name, &search->candidate) && fits(search, heap->targets[name]))
                    return search->found;
        hst_buffer_clear(&search->candidate);
        hst_heap_path_add_place(view, object, edge, 0, &search->candidate);
        if (fits(search, names))
            return search->found;
    }
    return HST_HEAP_NONE;
}

/* The length of the step at the beginning of text: ".name", "['key']", "[3]", ".<key 'x'>". */
static size_t step_length(const char *text)
{
    int depth = 0;
    char quote = '\0';
    size_t i = 0;
    for (; text[i] != '\0'; i++) {
        char c = text[i];
        if (quote != '\0') {
            if (c == '\\' && text[i + 1] != '\0')
                i++;
            else if (c == quote)
                quote = '\0';
        } else if (depth > 0 && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '[' || c == '<') {
            if (depth == 0 && c == '[' && i > 0)
                break;
            depth++;
        } else if ((c == ']' || c == '>') && depth > 0) {
            depth--;
        } else if (depth == 0 && i > 0 && c == '.') {
            break;
        }
    }
    return i;
}

/* As paths are spelled: a key in single quotes. */
static void take_token(struct search *search, const char *text, size_t length)
{
    struct hst_buffer *token = &search->token;
    int doubled = length > 4 && text[0] == '[' && text[1] == '"' && text[length - 2] == '"';
    hst_buffer_clear(token);
    hst_buffer_add(token, text, length);
    if (doubled && !token->failed)
        token->data[1] = token->data[length - 2] = '\'';
    hst_buffer_add_byte(token, '\0');
    search->nearest = (struct hst_nearest){.wanted = token->failed ? "" : (const char *)token->data};
}

/* The module whose name is exactly the token. */
static uint32_t find_module(struct search *search)
{
    const struct hst_heap_view *view = search->view;
    const struct hst_heap *heap = view->heap;
    for (size_t i = 0; i < heap->root_count; i++) {
        const struct hst_heap_root *root = &heap->roots[i];
        if (root->kind != HST_ROOT_MODULE)
            continue;
        hst_buffer_add_text(&search->candidate, hst_strings_get(&heap->strings, root->name));
        if (hst_heap_view_kind(view, root->object) == HST_HEAP_MODULE && fits(search, root->object))
            return search->found;
        hst_buffer_clear(&search->candidate);
        if (hst_heap_view_kind(view, root->object) != HST_HEAP_DICT || heap->places == NULL)
            continue;
        for (uint32_t edge = heap->first[root->object]; edge < heap->first[root->object + 1]; edge++) {
            const struct hst_heap_step step = {.edge = edge, .object = heap->targets[edge]};
            if (add_module(view, &step, &search->candidate) && fits(search, heap->targets[edge]))
                return search->found;
        }
    }
    return HST_HEAP_NONE;
}

/* The longest beginning that names a module, or else a root; *ret_length of it are used. */
static uint32_t find_begin(struct search *search, const char *text, size_t *ret_length)
{
    const struct hst_heap_view *view = search->view;
    for (size_t length = strcspn(text, "[ "); length > 0; length--) {
        if (text[length] != '\0' && text[length] != '.' && text[length] != '[' && text[length] != ' ')
            continue;
        take_token(search, text, length);
        *ret_length = length;
        uint32_t module = find_module(search);
        if (module != HST_HEAP_NONE)
            return module;
    }
    for (size_t i = 0; i < view->root_count; i++) {
        hst_heap_path_add_root(view, hst_heap_view_root(view, view->roots[i]), &search->candidate);
        size_t length = search->candidate.length;
        int begins = !search->candidate.failed &&
                     strncmp(text, (char *)search->candidate.data, length) == 0 &&
                     strchr(".[", text[length]) != NULL;
        hst_buffer_clear(&search->candidate);
        if (begins) {
            *ret_length = length;
            return view->roots[i];
        }
    }
    return HST_HEAP_NONE;
}

static enum hst_status say_unknown(struct search *search, const char *text, size_t before,
                                   struct hst_error *err)
{
    const char *near = search->nearest.best;
    if (before == 0) {
        (void)hst_error_set(err, HST_E_NOENT, "no module of the program is called as '%.200s' begins", text);
        hst_error_hint(err, "%s%s",
                       near != NULL ? near : "an address (0x...), or a path: module.name['key'][3]",
                       near != NULL ? " is there" : "");
        return HST_E_NOENT;
    }
    (void)hst_error_set(err, HST_E_NOENT, "%.*s has no %.200s", (int)(before < 200 ? before : 200), text,
                        (const char *)search->token.data);
    if (near != NULL)
        hst_error_hint(err, "%.*s%s", (int)(before < 200 ? before : 200), text, near);
    else
        hst_error_hint(err, "`hasten heap show '%.*s'` says what it has", (int)(before < 200 ? before : 200),
                       text);
    return HST_E_NOENT;
}

static enum hst_status walk(struct search *search, const char *text, uint32_t *ret_object,
                            struct hst_error *err)
{
    size_t at = 0;
    uint32_t object = find_begin(search, text, &at);
    if (object == HST_HEAP_NONE)
        return say_unknown(search, text, 0, err);
    while (text[at] != '\0') {
        size_t length = step_length(text + at);
        take_token(search, text + at, length);
        uint32_t next = follow(search, object);
        if (hst_buffer_status(&search->token) != HST_OK)
            return hst_error_set(err, HST_E_NOMEM, "out of memory");
        if (next == HST_HEAP_NONE)
            return say_unknown(search, text, at, err);
        object = next;
        at += length;
    }
    *ret_object = object;
    return HST_OK;
}

static enum hst_status resolve_address(const struct hst_heap *heap, const char *text, uint32_t *ret_object,
                                       struct hst_error *err)
{
    char *end;
    uint64_t address = strtoull(text, &end, 16);
    if (*end != '\0' || text[2] == '\0')
        return hst_error_set(err, HST_E_INVALID, "'%.100s' is no address", text);
    *ret_object = hst_heap_find(heap, address);
    if (*ret_object != HST_HEAP_NONE)
        return HST_OK;
    (void)hst_error_set(err, HST_E_NOENT, "no object begins at %.100s", text);
    for (size_t i = heap->count; i-- > 0;) /* the one that begins before it, where that is close */
        if (heap->addresses[i] < address) {
            if (address - heap->addresses[i] < heap->bytes[i])
                hst_error_hint(err, "0x%llx, of which it is the inside",
                               (unsigned long long)heap->addresses[i]);
            break;
        }
    return HST_E_NOENT;
}

enum hst_status hst_heap_path_resolve(const struct hst_heap_view *view, const char *text,
                                      uint32_t *ret_object, struct hst_error *err)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return resolve_address(view->heap, text, ret_object, err);
    if (view->heap->places == NULL)
        return hst_error_set(err, HST_E_INVALID, "the snapshot was read without places");
    struct search search = {.view = view, .found = HST_HEAP_NONE};
    hst_buffer_init(&search.token, 0);
    hst_buffer_init(&search.candidate, 0);
    enum hst_status status = walk(&search, text, ret_object, err);
    hst_buffer_release(&search.token);
    hst_buffer_release(&search.candidate);
    return status;
}

/* Whether a type's name is the text, or ends with it after a dot. */
static int type_ends_with(const char *name, const char *text)
{
    size_t length = strlen(name), text_length = strlen(text);
    return text_length > 0 && ends_with(name, text) &&
           (length == text_length || name[length - text_length - 1] == '.');
}

enum hst_status hst_heap_path_resolve_type(const struct hst_heap *heap, const char *text, uint32_t *ret_type,
                                           struct hst_error *err)
{
    struct hst_nearest nearest = {.wanted = text};
    uint32_t found = HST_HEAP_NONE, other = HST_HEAP_NONE;
    for (uint32_t i = 0; i < heap->type_count; i++) {
        const char *name = hst_heap_type_name(heap, i), *last = strrchr(name, '.');
        if (strcmp(name, text) == 0) {
            *ret_type = i;
            return HST_OK;
        }
        if (type_ends_with(name, text)) {
            other = found;
            found = i;
        }
        const char *best = nearest.best;
        hst_nearest_offer(&nearest, name);
        hst_nearest_offer(&nearest, last != NULL && strchr(text, '.') == NULL ? last + 1 : name);
        if (nearest.best != best)
            nearest.best = name;
    }
    if (found != HST_HEAP_NONE && other == HST_HEAP_NONE) {
        *ret_type = found;
        return HST_OK;
    }
    if (other != HST_HEAP_NONE) {
        (void)hst_error_set(err, HST_E_NOENT, "'%.100s' may be %.150s or %.150s", text,
                            hst_heap_type_name(heap, other), hst_heap_type_name(heap, found));
        hst_error_hint(err, "the whole name");
        return HST_E_NOENT;
    }
    (void)hst_error_set(err, HST_E_NOENT, "the heap has no type '%.200s'", text);
    hst_error_hint(err, "%s", nearest.best != NULL ? nearest.best : "hasten heap types -n 0");
    return HST_E_NOENT;
}
