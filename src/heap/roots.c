/* Every reference that is found is counted; what an object's own count has more, C code holds. */
#include "heap/roots.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "heap/counts.h"
#include "heap/references.h"
#include "reader/text.h"
#include "reader/type_flags.h"

enum {
    WORD = sizeof(uint64_t),
    OWNED_BY_GENERATOR = 1,
    OWNED_BY_C = 3, /* and more: frames without code of Python's */
    NAME_CHARACTERS = 80,
    NO_NAME = 0,
};

enum hst_status hst_roots_spans(const struct hst_runtime *runtime, struct hst_span **ret_spans,
                                size_t *ret_count)
{
    const struct hst_abi *abi = &runtime->abi;
    HST_CLEANUP_FREE struct hst_tstate *threads = NULL;
    size_t thread_count, count = 0;
    HST_TRY(hst_runtime_threads(runtime, &threads, &thread_count));
    struct hst_span *spans = hst_alloc(2 * thread_count + 1, sizeof *spans);
    if (spans == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < thread_count; i++) {
        spans[count++] = (struct hst_span){threads[i].address, abi->tstate_size / WORD * WORD};
        if (i == 0 || threads[i].interpreter != threads[i - 1].interpreter)
            spans[count++] = (struct hst_span){threads[i].interpreter, abi->interp_size / WORD * WORD};
    }
    *ret_spans = spans;
    *ret_count = count;
    return HST_OK;
}

struct finding {
    const struct hst_census *census;
    const struct hst_abi *abi;
    struct hst_heap *heap;
    uint32_t *counted; /* references to each object that are known */
    size_t capacity;
    struct hst_look look; /* at states of interpreters and threads, and at frames */
    struct hst_buffer name;
};

static enum hst_status add_root(struct finding *finding, uint32_t object, enum hst_root_kind kind,
                                uint64_t number, uint32_t name)
{
    struct hst_heap *heap = finding->heap;
    if (object == HST_NO_OBJECT)
        return HST_OK;
    if (name == HST_MAP_ABSENT || !HST_RESERVE(heap->roots, finding->capacity, heap->root_count + 1))
        return HST_E_NOMEM;
    heap->roots[heap->root_count++] =
        (struct hst_heap_root){object, kind, number < UINT32_MAX ? (uint32_t)number : UINT32_MAX, name};
    return HST_OK;
}

static enum hst_status add_reference(struct finding *finding, hst_raddr target, enum hst_root_kind kind,
                                     uint32_t name)
{
    uint32_t object = hst_pages_id(&finding->census->pages, target);
    if (object != HST_NO_OBJECT)
        finding->counted[object]++;
    return add_root(finding, object, kind, 1, name);
}

static const uint8_t *head_of(const struct finding *finding, uint32_t object)
{
    const struct hst_census *census = finding->census;
    return hst_image_at(census->image, census->objects[object].address, finding->abi->object_size);
}

/* What the object's own count says; never less than an object that never dies has. */
static uint64_t count_of(const struct finding *finding, uint32_t object)
{
    const uint8_t *head = head_of(finding, object);
    return head != NULL ? hst_count_read(finding->abi, head) : HST_COUNT_NONE;
}

/* It may have more references than its count says. */
static int is_deferred(const struct finding *finding, uint32_t object)
{
    const uint8_t *head = head_of(finding, object);
    return head != NULL && hst_count_is_deferred(finding->abi, head);
}

/* A word that may be a reference: caches of the interpreter name functions and classes that they do not keep.
 * It is one as long as the object's count says that there are more than are known, or cannot tell. */
static enum hst_status add_word(struct finding *finding, uint64_t word, enum hst_root_kind kind,
                                uint32_t name)
{
    uint32_t object = hst_pages_id(&finding->census->pages, word);
    if (object == HST_NO_OBJECT ||
        (count_of(finding, object) <= finding->counted[object] && !is_deferred(finding, object)))
        return HST_OK;
    return add_reference(finding, word, kind, name);
}

static uint32_t name_of(struct finding *finding, const char *text)
{
    return hst_strings_add_z(&finding->heap->strings, text);
}

/* --- the interpreter --- */

static enum hst_status find_in_words(struct finding *finding, hst_raddr from, uint64_t bytes,
                                     hst_raddr skipped, uint32_t name)
{
    if (!hst_look_allows(&finding->look, bytes / WORD))
        return HST_OK;
    for (hst_raddr at = from; at < from + bytes; at += WORD)
        if (at != skipped)
            HST_TRY(
                add_word(finding, hst_image_word(finding->census->image, at), HST_ROOT_INTERPRETER, name));
    return HST_OK;
}

static enum hst_status find_in_interpreter(struct finding *finding, const struct hst_tstate *thread)
{
    const struct hst_abi *abi = finding->abi;
    char name[32] = "state"; /* "interpreter state", "interpreter 2" */
    hst_raddr modules = thread->interpreter + abi->interp_modules;
    if (thread->interpreter_id != 0)
        (void)snprintf(name, sizeof name, "%lu", thread->interpreter_id);
    HST_TRY(add_reference(finding, hst_image_word(finding->census->image, modules), HST_ROOT_MODULE,
                          name_of(finding, "sys.modules")));
    return find_in_words(finding, thread->interpreter, abi->interp_size / WORD * WORD, modules,
                         name_of(finding, name));
}

/* --- frames --- */

/* Appends a str, or "?". */
static void add_text(struct finding *finding, hst_raddr text, size_t characters)
{
    enum hst_status status = text != 0 ? hst_text_read(&finding->census->image->memory, finding->abi, text,
                                                       characters, &finding->name)
                                       : HST_E_INVALID;
    if (status == HST_E_NOMEM)
        finding->name.failed = 1;
    else if (status != HST_OK)
        hst_buffer_add_text(&finding->name, "?");
}

/* "function (file.py:12)". */
static void name_code(struct finding *finding, hst_raddr code)
{
    const struct hst_abi *abi = finding->abi;
    const struct hst_image *image = finding->census->image;
    uint32_t name = abi->minor >= 11 ? abi->code_qualname : abi->code_name;
    hst_buffer_clear(&finding->name);
    add_text(finding, hst_image_word(image, code + name), NAME_CHARACTERS);
    size_t begin = finding->name.length;
    add_text(finding, hst_image_word(image, code + abi->code_filename), 4 * NAME_CHARACTERS);
    if (finding->name.data == NULL) /* both are empty */
        hst_buffer_add_text(&finding->name, "?");
    if (finding->name.failed)
        return;
    const uint8_t *file = finding->name.data + begin;
    for (size_t i = begin; i < finding->name.length; i++)
        if (finding->name.data[i] == '/')
            file = finding->name.data + i + 1;
    char place[NAME_CHARACTERS * 4 + 32];
    (void)snprintf(place, sizeof place, " (%.*s:%u)", (int)(finding->name.data + finding->name.length - file),
                   (const char *)file, (unsigned)hst_image_word(image, code + abi->code_first_line));
    finding->name.length = begin;
    hst_buffer_add_text(&finding->name, place);
}

struct frame {
    struct finding *finding;
    hst_raddr names;    /* tuple of its variables' names */
    size_t name_length; /* of what names the function */
};

static enum hst_status add_variable(void *context, hst_raddr target, hst_place place)
{
    struct frame *frame = context;
    struct finding *finding = frame->finding;
    const struct hst_image *image = finding->census->image;
    uint64_t index = hst_place_index_of(place),
             count = hst_image_word(image, frame->names + finding->abi->var_size);
    finding->name.length = frame->name_length;
    if (hst_place_kind_of(place) == HST_PLACE_VARIABLE && index < count) {
        hst_buffer_add_text(&finding->name, ": ");
        add_text(finding, hst_image_word(image, frame->names + finding->abi->tuple_items + index * WORD),
                 NAME_CHARACTERS);
    }
    HST_TRY(hst_buffer_status(&finding->name));
    uint32_t name =
        hst_strings_add(&finding->heap->strings, (const char *)finding->name.data, finding->name.length);
    return add_reference(finding, target, HST_ROOT_FRAME, name);
}

static enum hst_status find_in_frame(struct finding *finding, hst_raddr at)
{
    const struct hst_abi *abi = finding->abi;
    const struct hst_image *image = finding->census->image;
    unsigned owner = hst_image_word(image, at + abi->frame_owner) & 0xff;
    hst_raddr code = hst_image_word(image, at + abi->frame_code) & ~(uint64_t)(abi->minor >= 14 ? 7 : 0);
    if (owner >= OWNED_BY_C)
        return HST_OK;
    name_code(finding, code);
    HST_TRY(hst_buffer_status(&finding->name));
    if (owner == OWNED_BY_GENERATOR) /* which has the frame in itself */
        return add_reference(
            finding, at - abi->gen_frame, HST_ROOT_FRAME,
            hst_strings_add(&finding->heap->strings, (const char *)finding->name.data, finding->name.length));
    struct frame frame = {finding, hst_image_word(image, code + abi->code_localsplusnames),
                          finding->name.length};
    finding->look.context = &frame;
    return hst_frame_references_visit(&finding->look, at);
}

/* Up to 3.10 the running frames are objects, each of which holds the one that called it. */
static enum hst_status find_in_frame_object(struct finding *finding, const struct hst_tstate *thread)
{
    hst_raddr frame = hst_image_word(finding->census->image, thread->address + finding->abi->tstate_frame);
    name_code(finding, hst_image_word(finding->census->image, frame + finding->abi->frame_code));
    HST_TRY(hst_buffer_status(&finding->name));
    return add_reference(
        finding, frame, HST_ROOT_FRAME,
        hst_strings_add(&finding->heap->strings, (const char *)finding->name.data, finding->name.length));
}

static enum hst_status find_in_frames(struct finding *finding, const struct hst_tstate *thread)
{
    const struct hst_abi *abi = finding->abi;
    const struct hst_image *image = finding->census->image;
    if (abi->minor <= 10)
        return find_in_frame_object(finding, thread);
    hst_raddr at = hst_image_word(image, thread->address + abi->tstate_frame);
    if (abi->minor <= 12)
        at = hst_image_word(image, hst_image_word(image, thread->address + abi->tstate_cframe) +
                                       abi->cframe_current_frame);
    for (; at != 0 && hst_look_allows(&finding->look, abi->frame_size / WORD);
         at = hst_image_word(image, at + abi->frame_previous))
        HST_TRY(find_in_frame(finding, at));
    return HST_OK;
}

static enum hst_status find_in_thread_state(struct finding *finding, const struct hst_tstate *thread)
{
    const struct hst_abi *abi = finding->abi;
    return find_in_words(finding, thread->address, abi->tstate_size / WORD * WORD,
                         abi->minor <= 10 ? thread->address + abi->tstate_frame : 0,
                         name_of(finding, "thread state"));
}

/* --- data of programs and libraries --- */

static enum hst_status find_in_data(struct finding *finding, const struct hst_image_run *run)
{
    const struct hst_census *census = finding->census;
    const struct hst_image_region *region = hst_image_find(census->image, run->start);
    uint32_t name = name_of(finding, region->name != NULL ? region->name : "");
    for (hst_raddr at = run->start; at + WORD <= run->end; at += WORD) {
        uint32_t object = hst_pages_id(&census->pages, at), length;
        if (object != HST_NO_OBJECT) { /* its words are its references */
            HST_TRY(add_root(finding, object, HST_ROOT_STATIC, 1, name));
            length = census->objects[object].length / WORD * WORD;
            at += length > WORD ? length - WORD : 0;
        } else {
            uint64_t word = hst_image_word(census->image, at);
            if (word != 0)
                HST_TRY(add_word(finding, word, HST_ROOT_STATIC, name));
        }
    }
    return HST_OK;
}

/* --- what is left --- */

static enum hst_status find_residue(struct finding *finding)
{
    const struct hst_census *census = finding->census;
    uint32_t immortal = name_of(finding, "never dies");
    for (size_t i = 0; i < census->count; i++) {
        const struct hst_object *object = &census->objects[i];
        uint64_t count = count_of(finding, (uint32_t)i);
        if (count == HST_COUNT_FOREVER) {
            HST_TRY(add_root(finding, (uint32_t)i, HST_ROOT_STATIC, 1, immortal));
            continue;
        }
        finding->counted[i] += census->types.items[object->type].layout.is_linked != 0;
        if (count > finding->counted[i] && !hst_image_find(census->image, object->address)->is_data)
            HST_TRY(add_root(finding, (uint32_t)i, HST_ROOT_NATIVE, count - finding->counted[i], NO_NAME));
    }
    return HST_OK;
}

static enum hst_status find_all(struct finding *finding, const struct hst_tstate *threads, size_t count)
{
    const struct hst_image *image = finding->census->image;
    for (size_t i = 0; i < finding->heap->first[finding->heap->count]; i++)
        finding->counted[finding->heap->targets[i]]++;
    for (size_t i = 0; i < count; i++) /* first those that are certain */
        HST_TRY(find_in_frames(finding, &threads[i]));
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || threads[i].interpreter != threads[i - 1].interpreter)
            HST_TRY(find_in_interpreter(finding, &threads[i]));
        HST_TRY(find_in_thread_state(finding, &threads[i]));
    }
    for (size_t i = 0; i < image->run_count; i++)
        if (hst_image_find(image, image->runs[i].start)->is_data)
            HST_TRY(find_in_data(finding, &image->runs[i]));
    return find_residue(finding);
}

enum hst_status hst_roots_find(const struct hst_census *census, const struct hst_runtime *runtime,
                               struct hst_heap *heap)
{
    struct finding finding = {.census = census, .abi = census->abi, .heap = heap};
    HST_CLEANUP_FREE struct hst_tstate *threads = NULL;
    size_t count;
    HST_TRY(hst_runtime_threads(runtime, &threads, &count));
    HST_CLEANUP_FREE uint32_t *counted = hst_alloc_zero(heap->count + 1, sizeof *counted);
    if (counted == NULL)
        return HST_E_NOMEM;
    finding.counted = counted;
    finding.look = (struct hst_look){.image = census->image,
                                     .abi = census->abi,
                                     .visit = add_variable,
                                     .words_left = hst_look_words(census->image)};
    hst_buffer_init(&finding.name, 0);
    enum hst_status status = find_all(&finding, threads, count);
    hst_buffer_release(&finding.name);
    return status;
}
