/* Blocks in use -> objects: first the small ones, then all that they refer to. */
#include "heap/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "heap/collector.h"
#include "heap/counts.h"
#include "heap/mimalloc.h"
#include "heap/references.h"
#include "heap/tables.h"
#include "reader/text.h"
#include "reader/type_flags.h"

enum {
    ALIGNMENT = 16,
    WORD = sizeof(uint64_t),
    PAGE = 1 << HST_PAGE_BITS,
    STATE_BYTES = 4, /* of a str */
};
#define STATIC_TYPE_BYTES(abi) ((abi)->type_flags + 240u) /* PyTypeObject, in every version */
#define OBJECT_BYTES_MAX (UINT64_C(1) << 40)

/* --- is it an object? --- */

static uint64_t word_at(const uint8_t *bytes, size_t offset)
{
    uint64_t word;
    memcpy(&word, bytes + offset, sizeof word);
    return word;
}

static uint64_t rounded(uint64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

/* What the collector keeps stands in front of objects of that type. */
static int has_collector_head(const struct hst_abi *abi, const struct hst_type_facts *type)
{
    return !abi->free_threaded && (type->flags & HST_TYPE_HAVE_GC) != 0 &&
           type->pre_bytes >= HST_COLLECTOR_HEAD_BYTES;
}

/* Bytes of a str whose head is at object; 0: it is none. */
static uint64_t text_bytes(const struct hst_abi *abi, const uint8_t *object)
{
    uint64_t length = word_at(object, abi->str_length);
    uint32_t state;
    memcpy(&state, object + abi->str_state, sizeof state);
    unsigned form = hst_text_form(abi, state), kind = form & 7, compact = form >> 3 & 1,
             ascii = form >> 4 & 1;
    if (length > OBJECT_BYTES_MAX || kind == 3 || kind > 4)
        return 0;
    if (!compact)
        return abi->str_compact_data + WORD;
    return (ascii ? abi->str_ascii_data : abi->str_compact_data) + (length + 1) * (kind == 0 ? 1 : kind);
}

/* How many items an object of a type with items has: its ob_size, or of an int its digits. */
static uint64_t items_of(const struct hst_abi *abi, const struct hst_type_facts *type, const uint8_t *object)
{
    uint64_t size = word_at(object, abi->var_size);
    if ((type->flags & HST_TYPE_LONG) != 0 && abi->minor >= 12)
        return word_at(object, abi->long_tag) >> 3;
    return size >> 63 != 0 ? 0 - size : size;
}

enum fit {
    FIT_NOT,
    FIT_AT_LEAST, /* it may be larger: what it has more, only its type knows */
    FIT_EXACT,
};

/* A type that C code laid out itself: the collector does not know it, so nothing stands before it. */
static int is_static_type(const struct hst_abi *abi, const struct hst_type_facts *type, const uint8_t *object,
                          uint64_t available)
{
    return (type->flags & HST_TYPE_TYPE) != 0 && available >= STATIC_TYPE_BYTES(abi) &&
           (word_at(object, abi->type_flags) & HST_TYPE_HEAP) == 0;
}

/* Bytes from the object on that it takes, by its type. available: that can be looked at. */
static enum fit measure(const struct hst_census *census, const struct hst_type_facts *type,
                        const uint8_t *object, uint64_t available, uint64_t *ret_bytes)
{
    const struct hst_abi *abi = census->abi;
    *ret_bytes = type->basic_size;
    if (type->item_size != 0 && available < abi->var_size + WORD)
        return FIT_NOT;
    if ((type->flags & HST_TYPE_STR) != 0) {
        if (available < abi->str_state + STATE_BYTES)
            return FIT_NOT;
        uint64_t bytes = text_bytes(abi, object);
        int is_exact = (type->flags & HST_TYPE_HEAP) == 0;
        *ret_bytes = is_exact ? bytes : type->basic_size;
        return bytes == 0 ? FIT_NOT : is_exact ? FIT_EXACT : FIT_AT_LEAST;
    }
    if (type->layout.own_words == type->basic_size && is_static_type(abi, type, object, available)) {
        *ret_bytes = STATIC_TYPE_BYTES(abi); /* what the metaclass counts is the size of a class */
        return FIT_EXACT;
    }
    if (available < type->basic_size)
        return FIT_NOT;
    if (type->item_size == 0)
        return (type->flags & HST_TYPE_INLINE_VALUES) != 0 && abi->minor >= 13 ? FIT_AT_LEAST : FIT_EXACT;
    /* They have items, but do not say how many: their code does. */
    int is_frame = type->layout.shape == HST_SHAPE_FRAME || type->layout.shape == HST_SHAPE_GENERATOR;
    if (is_frame && abi->minor >= 11)
        return FIT_AT_LEAST;
    uint64_t items = items_of(abi, type, object);
    if (items > OBJECT_BYTES_MAX / type->item_size)
        return FIT_NOT;
    *ret_bytes = type->basic_size + items * type->item_size;
    /* One item more where the type's own allocator adds it; of a class that derives from int, at least one.
     */
    return FIT_AT_LEAST;
}

/* Where a block comes from says how large it is for what was asked for. */
enum block_source {
    FROM_POOL,
    FROM_MIMALLOC,
    FROM_MALLOC,
    FROM_DEBUG, /* Python's debug hooks note what was asked for */
};
struct block {
    hst_raddr address;
    const uint8_t *bytes;
    uint64_t length;
    enum block_source source;
};

/* malloc rounds up to 16 bytes with 8 for itself, or to pages; a rest that is too small to be a block of its
 * own is left in. */
static int is_malloc_size(uint64_t asked, uint64_t length)
{
    enum { LEAST = 24, REST_MAX = 16, HEAD = 8 };
    uint64_t usual = rounded(asked + HEAD) - HEAD;
    if (usual < LEAST)
        usual = LEAST;
    return length == usual || length == usual + REST_MAX ||
           (length > usual && length - usual < PAGE && length > PAGE);
}

static int fits_block(const struct hst_census *census, const struct hst_type_facts *type,
                      const struct block *block, uint32_t pre)
{
    uint64_t bytes;
    enum fit fit = measure(census, type, block->bytes + pre, block->length - pre, &bytes);
    bytes += pre;
    if (fit != FIT_EXACT)
        return fit == FIT_AT_LEAST && bytes <= block->length;
    switch (block->source) {
    case FROM_POOL:
        return rounded(bytes) == block->length;
    case FROM_MIMALLOC: /* it lets an object that gets smaller have half of its block for nothing */
        return bytes <= block->length && bytes >= block->length / 2;
    case FROM_MALLOC:
        return is_malloc_size(bytes, block->length);
    case FROM_DEBUG:
        return bytes == block->length;
    }
    return 0;
}

/* The type of the object that begins pre bytes into the block; HST_MAP_ABSENT: none does. */
static uint32_t type_in_block(struct hst_census *census, const struct block *block, uint32_t pre)
{
    const struct hst_abi *abi = census->abi;
    const uint8_t *object = block->bytes + pre;
    if (block->length < pre + abi->object_size || hst_count_read(abi, object) == HST_COUNT_NONE)
        return HST_MAP_ABSENT;
    uint32_t index = hst_heap_types_find(&census->types, word_at(object, abi->object_type));
    if (index == HST_MAP_ABSENT)
        return HST_MAP_ABSENT;
    const struct hst_type_facts *type = &census->types.items[index];
    if (is_static_type(abi, type, object, block->length - pre))
        return pre == 0 && fits_block(census, type, block, pre) ? index : HST_MAP_ABSENT;
    if (type->pre_bytes != pre)
        return HST_MAP_ABSENT;
    if (has_collector_head(abi, type) &&
        !hst_collector_agrees(census->image, block->address + pre - HST_COLLECTOR_HEAD_BYTES))
        return HST_MAP_ABSENT;
    return fits_block(census, type, block, pre) ? index : HST_MAP_ABSENT;
}

/* What Python's debug hooks (PYTHONMALLOC=debug, debug builds) put in front of what was asked for: how much
 * that is, the domain, and seven bytes that nobody should write to. Returns that length; 0: there is nothing.
 */
static uint64_t debug_length(const uint8_t *bytes, uint64_t length)
{
    enum { PREFIX = ALIGNMENT, SUFFIX = 8 };
    static const uint64_t forbidden = UINT64_C(0xfdfdfdfdfdfdfd);
    if (length < PREFIX + SUFFIX || word_at(bytes, 8) >> 8 != forbidden ||
        (bytes[8] != 'o' && bytes[8] != 'm' && bytes[8] != 'r'))
        return 0;
    uint64_t asked = 0;
    for (int i = 0; i < 8; i++)
        asked = asked << 8 | bytes[i];
    return asked <= length - PREFIX - SUFFIX ? asked : 0;
}

static const uint32_t pres[] = {0, 16, 32};

/* What follows one another lies in one page, mostly: that is looked up once. */
struct last_page {
    hst_raddr number;
    struct hst_page *page;
};

static struct hst_page *find_page(const struct hst_census *census, struct last_page *last, hst_raddr address)
{
    hst_raddr number = address >> HST_PAGE_BITS;
    if (number != last->number)
        *last = (struct last_page){number, hst_pages_find(&census->pages, address)};
    return last->page;
}

static int is_there(const struct hst_census *census, const struct hst_object *object, struct last_page *last)
{
    return hst_page_has(find_page(census, last, object->address), object->address);
}

/* --- blocks --- */

/* bytes: all that it takes; length: from the object on. */
static enum hst_status add_object(struct hst_census *census, struct hst_page *page, hst_raddr address,
                                  uint32_t type, uint64_t bytes, uint64_t length)
{
    if (hst_page_has(page, address)) /* what looks like a pool may lie in a block of malloc */
        return HST_OK;
    if (census->count >= HST_HEAP_OBJECTS_MAX ||
        !HST_RESERVE(census->objects, census->capacity, census->count + 1))
        return HST_E_NOMEM;
    hst_page_set(page, address);
    census->objects[census->count++] =
        (struct hst_object){.address = address,
                            .bytes = bytes,
                            .type = type,
                            .length = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX};
    return HST_OK;
}

/* whole: bytes that the block takes with the allocator's own. */
static enum hst_status look_at_block(struct hst_census *census, struct last_page *last, struct block block,
                                     uint64_t whole)
{
    uint64_t asked;
    while ((asked = debug_length(block.bytes, block.length)) != 0) /* twice where one domain asks another */
        block = (struct block){block.address + ALIGNMENT, block.bytes + ALIGNMENT, asked, FROM_DEBUG};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(pres); i++) {
        uint32_t type = type_in_block(census, &block, pres[i]);
        hst_raddr object = block.address + pres[i];
        if (type != HST_MAP_ABSENT)
            return add_object(census, find_page(census, last, object), object, type, whole,
                              block.length - pres[i]);
    }
    return HST_OK;
}

static enum hst_status look_at_pool(void *context, const struct hst_pool *pool)
{
    struct hst_census *census = context;
    struct last_page last = {0};
    hst_pages_divide(&census->pages, pool->address, pool->address + pool->length,
                     pool->address + HST_POOL_HEAD_BYTES, pool->block_bytes);
    for (uint32_t i = 0; i < pool->used; i++) {
        uint32_t offset = HST_POOL_HEAD_BYTES + i * pool->block_bytes;
        const struct block block = {pool->address + offset, pool->bytes + offset, pool->block_bytes,
                                    FROM_POOL};
        if (!pool->is_free[i])
            HST_TRY(look_at_block(census, &last, block, pool->block_bytes));
    }
    return HST_OK;
}

static enum hst_status add_area(struct hst_census *census, const struct hst_mimalloc_page *page)
{
    struct hst_own_area *last = census->area_count > 0 ? &census->areas[census->area_count - 1] : NULL;
    if (last != NULL && last->end == page->start && last->in_use == page->in_use) {
        last->end = page->end;
        return HST_OK;
    }
    if (!HST_RESERVE(census->areas, census->area_capacity, census->area_count + 1))
        return HST_E_NOMEM;
    census->areas[census->area_count++] = (struct hst_own_area){page->start, page->end, page->in_use};
    return HST_OK;
}

static enum hst_status look_at_mimalloc_page(void *context, const struct hst_mimalloc_page *page)
{
    struct hst_census *census = context;
    struct last_page last = {0};
    HST_TRY(add_area(census, page));
    if (page->used > 0)
        hst_pages_divide(&census->pages, page->start, page->end, page->address, page->block_bytes);
    int has_objects = page->tag != HST_MIMALLOC_MEMORY || !census->abi->free_threaded;
    for (uint32_t i = 0; i < page->used && has_objects; i++) {
        uint64_t offset = i * page->block_bytes;
        const struct block block = {page->address + offset, page->bytes + offset, page->block_bytes,
                                    FROM_MIMALLOC};
        if (!page->is_free[i])
            HST_TRY(look_at_block(census, &last, block,
                                  hst_image_touched(census->image, block.address, block.length)));
    }
    return HST_OK;
}

/* The blocks of Python's own allocator. */
static enum hst_status look_at_own(struct hst_census *census)
{
    const struct hst_abi *abi = census->abi;
    if (!abi->free_threaded)
        HST_TRY(hst_pools_visit(census->image, abi, look_at_pool, census, &census->pools));
    if (abi->minor < 13 || census->pools.pools > 0)
        return HST_OK;
    return hst_mimalloc_visit(census->image, abi, look_at_mimalloc_page, census, &census->pools);
}

/* Where there are pools, what is smaller than their largest block is no object; where there is mimalloc,
 * nothing is. */
static enum hst_status look_at_chunks(struct hst_census *census)
{
    struct last_page last = {0};
    uint64_t least = census->pools.pools > 0 ? HST_POOL_LARGEST_BLOCK + 1 : 0;
    for (size_t i = 0; i < census->chunks->count && !census->abi->free_threaded; i++) {
        const struct hst_chunk *chunk = &census->chunks->items[i];
        if (!chunk->in_use || chunk->bytes < least)
            continue;
        const struct block block = {chunk->address, hst_image_at(census->image, chunk->address, chunk->bytes),
                                    chunk->bytes, FROM_MALLOC};
        if (block.bytes != NULL)
            HST_TRY(look_at_block(census, &last, block, chunk->bytes + hst_chunk_head_bytes(chunk)));
    }
    return HST_OK;
}

/* --- what they own --- */

/* The object that lies in the block, by its address; 0: none does. */
static hst_raddr object_in_block(struct hst_census *census, hst_raddr block)
{
    enum { HEAD = 24, HOOKS_MAX = 4 };
    const uint8_t *head;
    for (int i = 0; i < HOOKS_MAX && (head = hst_image_at(census->image, block, HEAD)) != NULL &&
                    debug_length(head, UINT64_MAX) != 0;
         i++)
        block += ALIGNMENT;
    struct last_page last = {0};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(pres); i++) {
        hst_raddr object = block + pres[i];
        const struct hst_page *page = find_page(census, &last, object);
        if (page == NULL || !hst_page_has(page, object))
            continue;
        uint32_t type = hst_heap_types_find(&census->types,
                                            hst_image_word(census->image, object + census->abi->object_type));
        if (pres[i] == 0 || (type != HST_MAP_ABSENT && census->types.items[type].pre_bytes == pres[i]))
            return object;
    }
    return 0;
}

/* A block of an allocator. */
struct found {
    hst_raddr address;
    uint64_t bytes;  /* that it takes; 0: it is free, or in none that is known */
    uint64_t length; /* of those, from its address on */
    enum hst_memory_place place;
    size_t chunk; /* in chunks: which */
};

static struct found find_block(const struct hst_census *census, hst_raddr address)
{
    const struct hst_page *page = hst_pages_find(&census->pages, address);
    struct found found = {.address = address, .place = HST_ELSEWHERE};
    if (page == NULL)
        return found;
    if (page->block_bytes != 0) {
        hst_raddr block = hst_page_block(page, address);
        uint64_t bytes = hst_image_touched(census->image, block, page->block_bytes);
        return (struct found){block, bytes, bytes, HST_IN_POOLS, 0};
    }
    const struct hst_chunk *chunk = hst_chunks_find(census->chunks, address);
    if (chunk == NULL || !chunk->in_use)
        return found;
    return (struct found){chunk->address, chunk->bytes + hst_chunk_head_bytes(chunk), chunk->bytes,
                          HST_IN_CHUNKS, (size_t)(chunk - census->chunks->items)};
}

static void mark_chunk(struct hst_census *census, const struct found *found)
{
    if (found->place == HST_IN_CHUNKS && found->bytes > 0)
        census->python_chunks[found->chunk / 64] |= UINT64_C(1) << (found->chunk % 64);
}

struct claim {
    struct hst_census *census;
    size_t index; /* of the owner */
};

/* The collector knows it: that is an object, whatever a list says that is just being made of a former one,
 * and names the former one's table. */
static int is_listed(struct hst_census *census, hst_raddr object)
{
    hst_raddr type = hst_image_word(census->image, object + census->abi->object_type);
    uint32_t index = hst_heap_types_find(&census->types, type);
    hst_raddr head = object - HST_COLLECTOR_HEAD_BYTES, next = hst_collector_next(census->image, head);
    return index != HST_MAP_ABSENT && has_collector_head(census->abi, &census->types.items[index]) &&
           next != 0 && hst_collector_leads(census->image, head, next);
}

/* What an object says is its table is no object, and the object's own; the first that says so has it. used:
 * of the bytes that it should have. Returns what its block takes; 0: it is somebody else's. */
static uint64_t claim_table(struct hst_census *census, hst_raddr table, uint64_t bytes, uint64_t used)
{
    struct hst_page *page = hst_pages_find(&census->pages, table);
    const struct found block = find_block(census, table);
    if (page == NULL ||
        (block.bytes == 0 && (hst_image_find(census->image, table)->is_data || hst_page_has(page, table) ||
                              hst_image_at(census->image, table, bytes) == NULL)))
        return 0;
    hst_raddr taken = block.bytes != 0 ? object_in_block(census, block.address) : 0;
    if (taken != 0 && is_listed(census, taken))
        return 0;
    /* That page may be one never touched. */
    struct hst_page *begin = block.address == table ? page : hst_pages_find(&census->pages, block.address);
    if (begin == NULL || !hst_page_own(begin, block.address))
        return 0;
    if (taken != 0)
        hst_page_unset(hst_pages_find(&census->pages, taken), taken);
    mark_chunk(census, &block);
    uint64_t whole = block.bytes != 0 ? block.bytes : bytes;
    uint64_t slack = used < whole && used < bytes ? (bytes < whole ? bytes : whole) - used : 0;
    census->held[block.place].tables += whole - slack;
    census->held[block.place].slack += slack;
    return whole;
}

static int claim(void *context, hst_raddr table, uint64_t bytes, uint64_t used)
{
    struct claim *owner = context;
    struct hst_census *census = owner->census;
    uint64_t whole = claim_table(census, table, bytes, used);
    census->objects[owner->index].bytes += whole;
    return whole > 0;
}

static void claim_tables(struct hst_census *census, size_t index)
{
    const struct hst_object *object = &census->objects[index];
    struct claim owner = {census, index};
    hst_tables_visit(census->image, census->abi, &census->types.items[object->type], object->address, claim,
                     &owner);
}

/* Classes first: instances share their table of keys, and it is the class's. */
static void claim_all(struct hst_census *census)
{
    struct last_page last = {0};
    for (int classes = 1; classes >= 0; classes--)
        for (size_t i = 0; i < census->count; i++) {
            const struct hst_object *object = &census->objects[i];
            int is_class = census->types.items[object->type].layout.shape == HST_SHAPE_TYPE;
            if (is_class == classes && is_there(census, object, &last))
                claim_tables(census, i);
        }
}

/* Forgets what turned out to be a table. */
static void drop_tables(struct hst_census *census, size_t *small)
{
    size_t kept = 0, small_kept = 0;
    struct last_page last = {0};
    for (size_t i = 0; i < census->count; i++)
        if (is_there(census, &census->objects[i], &last)) {
            small_kept += i < *small;
            census->objects[kept++] = census->objects[i];
        }
    census->count = kept;
    *small = small_kept;
}

/* --- large and static ones, and buffers --- */

struct search {
    struct hst_census *census;
    const struct hst_span *spans; /* of the interpreter's state */
    size_t span_count;
    size_t owner; /* object whose words are looked at */
    struct hst_look look;
};

static enum hst_status meet_object(struct search *search, struct hst_page *page, hst_raddr address,
                                   int *ret_is_object)
{
    struct hst_census *census = search->census;
    const struct hst_abi *abi = census->abi;
    const uint8_t *object;
    *ret_is_object = hst_page_has(page, address);
    if (*ret_is_object || page->block_bytes != 0 ||
        (object = hst_image_at(census->image, address, abi->object_size)) == NULL)
        return HST_OK;
    uint32_t index = hst_heap_types_find(&census->types, word_at(object, abi->object_type));
    if (index == HST_MAP_ABSENT || hst_count_read(abi, object) == HST_COUNT_NONE)
        return HST_OK;
    const struct hst_type_facts *type = &census->types.items[index];
    const struct hst_image_region *region = hst_image_find(census->image, address);
    uint64_t bytes, available = region->end - address;
    if (hst_chunks_find(census->chunks, address) != NULL || /* those have been looked at */
        measure(census, type, object, available, &bytes) == FIT_NOT || bytes > available ||
        !hst_look_allows(&search->look, bytes / WORD)) /* no allocator says that they do not overlap */
        return HST_OK;
    *ret_is_object = 1;
    HST_TRY(add_object(census, page, address, index, type->pre_bytes + bytes, bytes));
    claim_tables(census, census->count - 1);
    return HST_OK;
}

/* A word of an object that names a block which is nobody's: it is the object's, and so is what its words
 * name. */
static enum hst_status meet_buffer(struct hst_census *census, size_t owner, hst_raddr address,
                                   uint64_t offset)
{
    const struct hst_object *object = &census->objects[owner];
    const struct hst_layout *layout = &census->types.items[object->type].layout;
    int may_own = offset >= layout->own_words && !layout->owns_nothing;
    const struct found block = find_block(census, address);
    if (block.bytes == 0 || !may_own || (address != block.address && address != block.address + ALIGNMENT) ||
        object_in_block(census, block.address) != 0 ||
        claim_table(census, block.address, block.bytes, block.bytes) == 0)
        return HST_OK;
    if (!HST_RESERVE(census->buffers, census->buffer_capacity, census->buffer_count + 1))
        return HST_E_NOMEM;
    census->buffers[census->buffer_count++] =
        (struct hst_owned_buffer){.owner = (uint32_t)owner, .address = block.address, .bytes = block.length};
    census->objects[owner].bytes += block.bytes;
    return HST_OK;
}

static enum hst_status meet(void *context, hst_raddr address, hst_place place)
{
    struct search *search = context;
    struct hst_census *census = search->census;
    struct hst_page *page = address % WORD == 0 ? hst_pages_find(&census->pages, address) : NULL;
    int is_object;
    if (page == NULL)
        return HST_OK;
    HST_TRY(meet_object(search, page, address, &is_object));
    if (is_object || hst_place_kind_of(place) != HST_PLACE_FIELD)
        return HST_OK;
    return meet_buffer(census, search->owner, address, (uint64_t)hst_place_index_of(place) * WORD);
}

static int is_state(const struct search *search, hst_raddr address)
{
    for (size_t i = 0; i < search->span_count; i++)
        if (address - search->spans[i].address < search->spans[i].bytes)
            return 1;
    return 0;
}

/* It is about to be freed: no references are left, and it is in its list yet. */
static int is_dying(struct hst_census *census, hst_raddr object)
{
    hst_raddr type = hst_image_word(census->image, object + census->abi->object_type);
    return (uint32_t)hst_image_word(census->image, object) == 0 &&
           hst_heap_types_find(&census->types, type) != HST_MAP_ABSENT;
}

/* What the collector's list names after an object is an object too, or the head of the list, which is in no
 * block of an allocator but where the interpreter's state is. */
static enum hst_status meet_listed(struct search *search, hst_raddr head, int is_of_object)
{
    struct hst_census *census = search->census;
    hst_raddr next = hst_collector_next(census->image, head), object = next + HST_COLLECTOR_HEAD_BYTES;
    struct hst_page *page = next != 0 ? hst_pages_find(&census->pages, object) : NULL;
    if (page == NULL || object % ALIGNMENT != 0)
        return HST_OK;
    int is_object = hst_page_has(page, object);
    census->listed.objects += is_object;
    if (is_object || !hst_collector_leads(census->image, head, next))
        return HST_OK;
    size_t count = census->count;
    HST_TRY(meet_object(search, page, object, &is_object));
    int is_in_block = page->block_bytes != 0 || hst_chunks_find(census->chunks, object) != NULL;
    census->listed.objects += is_object;
    census->listed.alone += census->count - count;
    census->listed.unknown +=
        is_of_object && !is_object && is_in_block && !is_state(search, next) && !is_dying(census, object);
    return HST_OK;
}

/* Of state, and of data with none: each word may also be the head of a list of the collector, or of another
 * one: so what is no object is not missing. */
static enum hst_status meet_heads(struct search *search, hst_raddr from, hst_raddr end, int is_state_itself)
{
    const struct hst_image *image = search->census->image;
    for (hst_raddr at = from; at < end && !search->census->abi->free_threaded; at += WORD) {
        hst_raddr next = hst_collector_next(image, at);
        if (next != 0 && next != at && (hst_collector_before(image, next) & ~HST_COLLECTOR_FLAGS) == at &&
            (is_state_itself || !is_state(search, at)))
            HST_TRY(meet_listed(search, at, 0));
    }
    return HST_OK;
}

static enum hst_status meet_words(struct search *search, hst_raddr from, uint64_t bytes, hst_place place)
{
    const uint8_t *words = hst_image_at(search->census->image, from, bytes);
    for (uint64_t at = 0; words != NULL && at + WORD <= bytes; at += WORD)
        if ((from + at) % PAGE == 0 && hst_image_find(search->census->image, from + at) == NULL)
            at += PAGE - WORD; /* it was never touched */
        else
            HST_TRY(meet(search, word_at(words, at), place));
    return HST_OK;
}

/* Long buffers are numbers or text, unless there are references in some stretches of them: not in their
 * beginning alone, which a ring leaves empty. */
static uint64_t bytes_to_look_at(const struct hst_census *census, const struct hst_owned_buffer *buffer)
{
    enum { SHORT_BYTES = 1 << 20, STRETCHES = 64, STRETCH_BYTES = 256 };
    if (buffer->bytes <= SHORT_BYTES)
        return buffer->bytes;
    for (uint64_t i = 0; i < (uint64_t)STRETCHES * STRETCH_BYTES; i += WORD) {
        uint64_t start = buffer->bytes / STRETCHES / WORD * WORD * (i / STRETCH_BYTES);
        hst_raddr word = hst_image_word(census->image, buffer->address + start + i % STRETCH_BYTES);
        const struct hst_page *page = word % WORD == 0 ? hst_pages_find(&census->pages, word) : NULL;
        if (page != NULL && hst_page_has(page, word))
            return buffer->bytes;
    }
    return 0;
}

static enum hst_status meet_references(struct search *search, size_t index)
{
    struct hst_census *census = search->census;
    const struct hst_object object = census->objects[index];
    const struct hst_type_facts type = census->types.items[object.type];
    size_t buffer = census->buffer_count;
    search->owner = index;
    HST_TRY(hst_references_visit(&search->look, &type, object.address, object.length));
    if (has_collector_head(census->abi, &type))
        HST_TRY(meet_listed(search, object.address - HST_COLLECTOR_HEAD_BYTES, 1));
    for (; buffer < census->buffer_count; buffer++) {
        struct hst_owned_buffer *found = &census->buffers[buffer];
        found->bytes = type.layout.buffers_are_opaque ? 0 : bytes_to_look_at(census, found);
        HST_TRY(meet_words(search, found->address, found->bytes,
                           hst_place_of(HST_PLACE_FIELD, HST_PLACE_INDEX_MAX)));
    }
    return HST_OK;
}

static enum hst_status meet_all(struct hst_census *census, const struct hst_span *spans, size_t span_count)
{
    struct search search = {census,
                            spans,
                            span_count,
                            0,
                            {census->image, census->abi, meet, &search, hst_look_words(census->image)}};
    for (size_t i = 0; i < span_count; i++)
        if (hst_look_allows(&search.look, spans[i].bytes / WORD)) {
            HST_TRY(meet_words(&search, spans[i].address, spans[i].bytes, HST_PLACE_ITEM));
            HST_TRY(meet_heads(&search, spans[i].address, spans[i].address + spans[i].bytes, 1));
        }
    for (size_t i = 0; i < census->image->run_count; i++) {
        const struct hst_image_run *run = &census->image->runs[i];
        if (hst_image_find(census->image, run->start)->is_data) {
            HST_TRY(meet_words(&search, run->start, run->end - run->start, HST_PLACE_ITEM));
            HST_TRY(meet_heads(&search, run->start, run->end, 0));
        }
    }
    for (size_t i = 0; i < census->types.count; i++)
        HST_TRY(meet(&search, census->types.items[i].address, HST_PLACE_ITEM));
    struct last_page last = {0};
    for (size_t i = 0; i < census->count; i++) /* more come meanwhile */
        if (is_there(census, &census->objects[i], &last))
            HST_TRY(meet_references(&search, i));
    return HST_OK;
}

/* --- in order --- */

static int compare_objects(const void *a, const void *b)
{
    const struct hst_object *one = a, *other = b;
    return one->address < other->address ? -1 : one->address > other->address;
}

static int compare_buffers(const void *a, const void *b)
{
    const struct hst_owned_buffer *one = a, *other = b;
    if (one->owner != other->owner)
        return one->owner < other->owner ? -1 : 1;
    return one->address < other->address ? -1 : one->address > other->address;
}

/* The small ones came in order; the others are sorted, and both are merged from the end. */
static enum hst_status put_in_order(struct hst_census *census, size_t small)
{
    HST_CLEANUP_FREE struct hst_object *rest = hst_alloc(census->count - small + 1, sizeof *rest);
    HST_CLEANUP_FREE hst_raddr *owners = hst_alloc(census->buffer_count + 1, sizeof *owners);
    if (rest == NULL || owners == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < census->buffer_count; i++)
        owners[i] = census->objects[census->buffers[i].owner].address;
    drop_tables(census, &small);
    size_t large = census->count - small, at = census->count;
    if (large > 0)
        memcpy(rest, census->objects + small, large * sizeof *rest);
    qsort(rest, large, sizeof *rest, compare_objects);
    while (large > 0) {
        int is_last = small == 0 || census->objects[small - 1].address < rest[large - 1].address;
        census->objects[--at] = is_last ? rest[--large] : census->objects[--small];
    }
    if (hst_pages_number(&census->pages) != census->count)
        return HST_E_INVALID; /* an object twice, or one outside of what was copied */
    for (size_t i = 0; i < census->buffer_count; i++)
        census->buffers[i].owner = hst_pages_id(&census->pages, owners[i]);
    if (census->buffer_count > 0)
        qsort(census->buffers, census->buffer_count, sizeof *census->buffers, compare_buffers);
    return HST_OK;
}

static void add_up(struct hst_census *census)
{
    struct last_page last = {0};
    for (size_t i = 0; i < census->count; i++) {
        const struct hst_object *object = &census->objects[i];
        uint64_t small = find_page(census, &last, object->address)->block_bytes;
        if (small != 0 && small <= HST_POOL_LARGEST_BLOCK) {
            census->held[HST_IN_POOLS].objects += small;
            continue;
        }
        const struct found block = find_block(census, object->address);
        uint64_t own = object->length + census->types.items[object->type].pre_bytes;
        census->held[block.place].objects += block.bytes != 0 ? block.bytes : own;
        mark_chunk(census, &block);
    }
}

enum hst_status hst_census_take(struct hst_image *image, const struct hst_abi *abi,
                                const struct hst_chunks *chunks, const struct hst_span *spans,
                                size_t span_count, struct hst_census *ret_census)
{
    memset(ret_census, 0, sizeof *ret_census);
    ret_census->image = image;
    ret_census->abi = abi;
    ret_census->chunks = chunks;
    hst_heap_types_init(&ret_census->types, image, abi);
    ret_census->python_chunks = hst_alloc_zero(chunks->count / 64 + 1, sizeof *ret_census->python_chunks);
    enum hst_status status =
        ret_census->python_chunks != NULL ? hst_pages_init(&ret_census->pages, image) : HST_E_NOMEM;
    if (status == HST_OK)
        status = look_at_own(ret_census);
    size_t small = ret_census->count;
    if (status == HST_OK)
        status = look_at_chunks(ret_census);
    if (status == HST_OK) {
        claim_all(ret_census);
        status = meet_all(ret_census, spans, span_count);
    }
    if (status == HST_OK)
        status = put_in_order(ret_census, small);
    if (status == HST_OK && ret_census->types.out_of_memory)
        status = HST_E_NOMEM;
    if (status == HST_OK && ret_census->count == 0)
        status = HST_E_UNSUPPORTED;
    if (status != HST_OK) {
        hst_census_release(ret_census);
        return status;
    }
    add_up(ret_census);
    return HST_OK;
}

void hst_census_release(struct hst_census *census)
{
    hst_heap_types_release(&census->types);
    hst_pages_release(&census->pages);
    hst_free(census->objects);
    hst_free(census->areas);
    hst_free(census->buffers);
    hst_free(census->python_chunks);
    memset(census, 0, sizeof *census);
}
