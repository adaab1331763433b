/* A chunk begins with its size, and what follows it says whether it is in use: so they are walked one by one.
 *
 *   chunk      word: size of the chunk before, if that is free; word: own size | flags; memory, which goes on
 *              over the first word of the next chunk
 *   arena      of a thread: at multiples of HEAP_BYTES a heap_info {arena, previous heap, bytes, writable
 *              bytes}, in the first of its heaps the malloc_state, then chunks
 *   mapped     a chunk alone, of whole pages; since 2.42 its size leaves out its own head
 *
 * malloc/malloc.c and malloc/arena.c of glibc describe them. */
#include "heap/chunks.h"

#include "base/map.h"
#include "base/memory.h"

enum {
    WORD = sizeof(uint64_t),
    ALIGNMENT = 16,
    HEAD_BYTES = 2 * WORD,
    PAGE = 4096,
    FENCE_BYTES = 16, /* a chunk without memory: it ends a heap */
    CHUNK_BYTES_MIN = 32,
    LINKS = 4,             /* that must hold before a place is believed to be a chunk */
    ARENA_HEAD_MAX = 4096, /* heap_info and malloc_state: 2.2 KiB in the versions seen */
    FAST_BINS = 10,
    MAIN_TOPS_MAX = 16,   /* the main arena has one, and what looks like a main arena may have some */
    SMALL_LISTS = 64,     /* of a thread's cache: each of one size */
    CACHED_MAX = 1 << 16, /* in one list of a cache */
};
#define HEAP_BYTES (UINT64_C(64) << 20)
#define SEARCH_BYTES (UINT64_C(1) << 20) /* for the next chunk, where it is not known that there are any */
#define FLAG_PREVIOUS_IN_USE UINT64_C(1)
#define FLAG_MAPPED UINT64_C(2)
#define FLAG_NOT_MAIN UINT64_C(4)
#define FLAGS UINT64_C(7)

struct top {
    hst_raddr chunk; /* its head */
    int is_main;
};

struct finder {
    struct hst_image *image;
    struct hst_chunks *chunks;
    struct top *tops; /* the last chunk of each heap: it is what an arena's state names */
    size_t top_count, top_capacity, main_count;
    struct hst_map top_by_chunk;
};

/* A chain of chunks from at up to end. */
struct chain {
    struct finder *finder;
    hst_raddr at, end;
    uint64_t flag; /* FLAG_NOT_MAIN: its chunks have it while they are in use */
    uint64_t search_bytes;
};

/* Mappings one behind the other: the system splits memory that grew after a fork. */
struct area {
    hst_raddr start, end;
    int is_heap; /* the system says that brk made it */
};

static int is_heap(const struct hst_mapping *mapping) { return strcmp(mapping->path, "[heap]") == 0; }

static int is_anonymous(const struct hst_mapping *mapping)
{
    return mapping->path[0] == '\0' || is_heap(mapping) || strncmp(mapping->path, "[anon", 5) == 0;
}

static uint64_t word_at(const struct finder *finder, hst_raddr address)
{
    return hst_image_word(finder->image, address);
}

/* --- chains --- */

/* The size of the chunk at, without its flags; 0: it cannot be one. */
static uint64_t size_at(const struct chain *chain, hst_raddr at)
{
    if (chain->end - at < CHUNK_BYTES_MIN)
        return 0;
    uint64_t word = word_at(chain->finder, at + WORD), size = word & ~FLAGS;
    if ((word & (FLAGS & ~FLAG_PREVIOUS_IN_USE) & ~chain->flag) != 0 || size % ALIGNMENT != 0 ||
        size < CHUNK_BYTES_MIN || size > chain->end - at)
        return 0;
    return size;
}

/* A free chunk's size stands behind it too. */
static int is_linked(const struct chain *chain, hst_raddr at, uint64_t size)
{
    hst_raddr next = at + size;
    if (chain->end - next < HEAD_BYTES)
        return 1;
    uint64_t word = word_at(chain->finder, next + WORD);
    return (word & FLAG_PREVIOUS_IN_USE) != 0 || word_at(chain->finder, next) == size;
}

static int is_chain(const struct chain *chain, hst_raddr at, unsigned links)
{
    for (unsigned i = 0; i < links && at < chain->end; i++) {
        uint64_t size = size_at(chain, at);
        if (size == 0 || !is_linked(chain, at, size))
            return 0;
        at += size;
    }
    return 1;
}

static enum hst_status add_chunk(struct finder *finder, const struct hst_chunk *chunk)
{
    struct hst_chunks *chunks = finder->chunks;
    if (!HST_RESERVE(chunks->items, chunks->capacity, chunks->count + 1))
        return HST_E_NOMEM;
    chunks->items[chunks->count++] = *chunk;
    chunks->sums.overhead_bytes += hst_chunk_head_bytes(chunk);
    return HST_OK;
}

static enum hst_status add_top(struct finder *finder, hst_raddr chunk, int is_main)
{
    if (is_main && finder->main_count == MAIN_TOPS_MAX)
        return HST_OK;
    if (!HST_RESERVE(finder->tops, finder->top_capacity, finder->top_count + 1) ||
        !hst_map_set(&finder->top_by_chunk, chunk, (uint32_t)finder->top_count))
        return HST_E_NOMEM;
    finder->tops[finder->top_count++] = (struct top){chunk, is_main};
    finder->main_count += is_main != 0;
    return HST_OK;
}

/* Goes on at the next place that is believed to be a chunk. 0: there is none. */
static int skip_torn(struct chain *chain)
{
    hst_raddr at = chain->at + ALIGNMENT;
    hst_raddr last =
        chain->end - chain->at < chain->search_bytes ? chain->end : chain->at + chain->search_bytes;
    while (at + CHUNK_BYTES_MIN <= last && !is_chain(chain, at, LINKS))
        at += ALIGNMENT;
    if (at + CHUNK_BYTES_MIN > last)
        return 0;
    struct hst_chunk_sums *sums = &chain->finder->chunks->sums;
    sums->torn++;
    sums->torn_bytes += at - chain->at;
    chain->at = at;
    return 1;
}

/* A heap that is not the last of its arena ends with chunks that have no memory. */
static int is_fence(const struct chain *chain)
{
    if (chain->end - chain->at < HEAD_BYTES)
        return 1;
    return (word_at(chain->finder, chain->at + WORD) & ~FLAGS) <= FENCE_BYTES &&
           chain->end - chain->at <= (hst_raddr)2 * FENCE_BYTES;
}

/* Adds all chunks up to the end of the chain, which is then at. */
static enum hst_status walk_chain(struct chain *chain)
{
    struct finder *finder = chain->finder;
    hst_raddr last = 0;
    while (!is_fence(chain)) {
        uint64_t size = size_at(chain, chain->at);
        if (size == 0 && !skip_torn(chain))
            break;
        if (size == 0)
            continue;
        hst_raddr next = chain->at + size;
        int in_use =
            chain->end - next >= HEAD_BYTES && (word_at(finder, next + WORD) & FLAG_PREVIOUS_IN_USE) != 0;
        const struct hst_chunk chunk = {
            .address = chain->at + HEAD_BYTES, .bytes = size - WORD, .in_use = in_use != 0};
        HST_TRY(add_chunk(finder, &chunk));
        last = chain->at;
        chain->at = next;
    }
    return last != 0 ? add_top(finder, last, chain->flag == 0) : HST_OK;
}

/* --- where chains begin --- */

/* The main arena from the start of an area on; ret_end: where it ends. */
static enum hst_status walk_main(struct finder *finder, const struct area *area, hst_raddr *ret_end)
{
    struct chain chain = {.finder = finder,
                          .at = area->start,
                          .end = area->end,
                          .search_bytes = area->is_heap ? finder->image->bytes : SEARCH_BYTES};
    *ret_end = area->start;
    if (area->is_heap ? !is_chain(&chain, chain.at, 1)
                      : word_at(finder, chain.at) != 0 || !is_chain(&chain, chain.at, 2 * LINKS)) {
        if (!area->is_heap ||
            !skip_torn(&chain)) /* a static program has its threads' variables there first */
            return HST_OK;
    }
    HST_TRY(walk_chain(&chain));
    finder->chunks->sums.arenas += area->is_heap || finder->chunks->sums.arenas == 0;
    *ret_end = chain.at;
    return HST_OK;
}

/* struct heap_info */
struct heap_info {
    uint64_t arena, previous, bytes, writable_bytes;
};

/* A heap of another arena at a multiple of HEAP_BYTES; ret_end is left where there is none. */
static enum hst_status walk_heap(struct finder *finder, hst_raddr start, hst_raddr end, hst_raddr *ret_end)
{
    struct heap_info info;
    const uint8_t *at = hst_image_at(finder->image, start, sizeof info);
    if (at == NULL)
        return HST_OK;
    memcpy(&info, at, sizeof info);
    if (info.arena % WORD != 0 || info.previous % HEAP_BYTES != 0 || info.bytes % PAGE != 0 ||
        info.bytes > info.writable_bytes || info.writable_bytes > HEAP_BYTES || info.bytes < PAGE ||
        info.bytes > end - start || hst_image_at(finder->image, info.arena, WORD) == NULL)
        return HST_OK;
    struct chain chain = {
        .finder = finder, .end = start + info.bytes, .flag = FLAG_NOT_MAIN, .search_bytes = UINT64_MAX};
    for (chain.at = start + sizeof info; chain.at < start + ARENA_HEAD_MAX; chain.at += ALIGNMENT)
        if (is_chain(&chain, chain.at, LINKS))
            break;
    if (chain.at >= start + ARENA_HEAD_MAX)
        return HST_OK;
    finder->chunks->sums.arenas += info.previous == 0;
    finder->chunks->sums.overhead_bytes += chain.at - start;
    HST_TRY(walk_chain(&chain));
    *ret_end = start + info.bytes;
    return HST_OK;
}

/* Where in a mapped chunk of total bytes from page on the head is that free will see: behind the page's start
 * when the memory had to be aligned. It says how far behind. left_out: of total, in the size that a head
 * says. */
static hst_raddr aligned_head(const struct finder *finder, hst_raddr page, uint64_t total, uint64_t left_out)
{
    for (uint64_t alignment = 2 * ALIGNMENT; alignment < total; alignment *= 2) {
        hst_raddr head = (page + HEAD_BYTES + alignment - 1) / alignment * alignment - HEAD_BYTES;
        uint64_t before = head - page;
        if (before > 0 && before < total && word_at(finder, head) == before &&
            word_at(finder, head + WORD) == ((total - before - left_out) | FLAG_MAPPED))
            return head;
    }
    return page;
}

static enum hst_status walk_mapped(struct finder *finder, hst_raddr page, hst_raddr end, hst_raddr *ret_end)
{
    uint64_t word = word_at(finder, page + WORD), total = word & ~FLAGS;
    uint64_t left_out = total % PAGE != 0 ? HEAD_BYTES : 0;
    total += left_out;
    if (word_at(finder, page) != 0 || (word & FLAGS) != FLAG_MAPPED || total % PAGE != 0 || total == 0 ||
        total > end - page)
        return HST_OK;
    hst_raddr head = aligned_head(finder, page, total, left_out);
    const struct hst_chunk chunk = {.address = head + HEAD_BYTES,
                                    .bytes = total - (head - page) - HEAD_BYTES,
                                    .in_use = 1,
                                    .is_mapped = 1};
    *ret_end = page + total;
    return add_chunk(finder, &chunk);
}

/* The first page from address on that is in the copy; runs before *run are behind it. */
static hst_raddr next_page(const struct hst_image *image, size_t *run, hst_raddr address)
{
    while (*run < image->run_count && image->runs[*run].end <= address)
        ++*run;
    if (*run == image->run_count)
        return UINT64_MAX;
    return image->runs[*run].start > address ? image->runs[*run].start : address;
}

static enum hst_status walk_area(struct finder *finder, const struct area *area, size_t *run)
{
    hst_raddr at;
    HST_TRY(walk_main(finder, area, &at));
    at = (at + PAGE - 1) / PAGE * PAGE;
    while ((at = next_page(finder->image, run, at)) < area->end) {
        hst_raddr next = at;
        if (at % HEAP_BYTES == 0)
            HST_TRY(walk_heap(finder, at, area->end, &next));
        if (next == at)
            HST_TRY(walk_mapped(finder, at, area->end, &next));
        at = next > at ? next : at + PAGE;
    }
    return HST_OK;
}

/* --- free ones that look as if they were in use --- */

/* The chunk in use whose memory begins at address and is of that size (0: any); NULL: none does. */
static struct hst_chunk *exact(const struct finder *finder, hst_raddr address, uint64_t bytes)
{
    const struct hst_chunk *found = hst_chunks_find(finder->chunks, address);
    if (found == NULL || found->address != address || !found->in_use || (bytes != 0 && found->bytes != bytes))
        return NULL;
    return &finder->chunks->items[found - finder->chunks->items];
}

/* Frees the chunks of a list whose links stand at the beginning of their memory and lead to link_offset
 * before that of the next. Since 2.32 a link is mixed with where it stands. */
static void free_list(struct finder *finder, hst_raddr memory, uint64_t bytes, uint64_t link_offset)
{
    for (unsigned steps = 0; steps < CACHED_MAX; steps++) {
        struct hst_chunk *chunk = exact(finder, memory, bytes);
        if (chunk == NULL)
            return;
        chunk->in_use = 0;
        finder->chunks->sums.cached++;
        uint64_t link = word_at(finder, memory), plain = link ^ memory >> 12;
        memory = exact(finder, plain + link_offset, bytes) != NULL ? plain + link_offset : link + link_offset;
    }
}

/* struct tcache_perthread_struct: counters, then the lists by size. */
struct cache_layout {
    uint32_t bytes; /* usable, of the chunk that holds it */
    uint32_t lists_offset, lists;
};
static const struct cache_layout cache_layouts[] = {
    {584, 64, 64},  /* 2.26 to 2.29 */
    {648, 128, 64}, /* from 2.30 */
    {760, 152, 64}, /* from 2.42, which has lists of large chunks too */
};

/* 0: of several sizes. */
static uint64_t bytes_of_list(uint32_t list)
{
    return list < SMALL_LISTS ? CHUNK_BYTES_MIN + (uint64_t)list * ALIGNMENT - WORD : 0;
}

/* All lists must begin with a chunk of their size: other memory is not like that. */
static void free_cached(struct finder *finder, const struct hst_chunk *cache,
                        const struct cache_layout *layout)
{
    hst_raddr lists = cache->address + layout->lists_offset;
    for (uint32_t i = 0; i < layout->lists; i++) {
        hst_raddr memory = word_at(finder, lists + (hst_raddr)i * WORD);
        if (memory != 0 && exact(finder, memory, bytes_of_list(i)) == NULL)
            return;
    }
    for (uint32_t i = 0; i < layout->lists; i++)
        free_list(finder, word_at(finder, lists + (hst_raddr)i * WORD), bytes_of_list(i), 0);
}

static void find_caches(struct finder *finder)
{
    for (size_t i = 0; i < finder->chunks->count; i++) {
        const struct hst_chunk *chunk = &finder->chunks->items[i];
        for (size_t k = 0; chunk->in_use && k < HST_ARRAY_LENGTH(cache_layouts); k++)
            if (chunk->bytes == cache_layouts[k].bytes)
                free_cached(finder, chunk, &cache_layouts[k]);
    }
}

/* The lists stand right before where the arena's state names its top chunk. */
static void free_fast(struct finder *finder, hst_raddr top_field)
{
    hst_raddr lists = top_field - (hst_raddr)FAST_BINS * WORD;
    for (uint32_t i = 0; i < FAST_BINS; i++) {
        hst_raddr chunk = word_at(finder, lists + (hst_raddr)i * WORD);
        if (chunk != 0 && exact(finder, chunk + HEAD_BYTES, bytes_of_list(i)) == NULL)
            return;
    }
    for (uint32_t i = 0; i < FAST_BINS; i++)
        free_list(finder, word_at(finder, lists + (hst_raddr)i * WORD) + HEAD_BYTES, bytes_of_list(i),
                  HEAD_BYTES);
}

/* Looks for the states of arenas in [start, end) by the top chunks that they name. */
static void find_states(struct finder *finder, hst_raddr start, hst_raddr end, int is_main)
{
    for (hst_raddr at = start; at + WORD <= end; at += WORD) {
        uint64_t word = word_at(finder, at);
        uint32_t top = word != 0 ? hst_map_find(&finder->top_by_chunk, word) : HST_MAP_ABSENT;
        if (top != HST_MAP_ABSENT && finder->tops[top].is_main == is_main)
            free_fast(finder, at);
    }
}

/* The state of the main arena is a variable of the C library, those of the others begin their first heap. */
static void find_fast(struct finder *finder, const struct hst_maps *maps)
{
    for (size_t i = 0; i < maps->count && finder->main_count > 0; i++) {
        const struct hst_mapping *mapping = &maps->items[i];
        if (mapping->path[0] == '/' && hst_image_find(finder->image, mapping->start) != NULL)
            find_states(finder, mapping->start, mapping->end, 1);
    }
    for (size_t i = 0; i < finder->top_count; i++)
        if (!finder->tops[i].is_main) {
            hst_raddr heap = finder->tops[i].chunk / HEAP_BYTES * HEAP_BYTES, arena = word_at(finder, heap);
            find_states(finder, arena, arena + ARENA_HEAD_MAX, 0);
        }
}

/* --- all of it --- */

/* The next area from the mapping on. 0: there is none. */
static int next_area(const struct finder *finder, const struct hst_maps *maps, size_t *mapping,
                     struct area *ret_area)
{
    *ret_area = (struct area){0};
    for (; *mapping < maps->count; ++*mapping) {
        const struct hst_mapping *next = &maps->items[*mapping];
        int fits = is_anonymous(next) && hst_image_find(finder->image, next->start) != NULL;
        if (ret_area->end == 0 && fits)
            *ret_area = (struct area){next->start, next->end, is_heap(next)};
        else if (ret_area->end != 0 && fits && next->start == ret_area->end &&
                 is_heap(next) == ret_area->is_heap)
            ret_area->end = next->end;
        else if (ret_area->end != 0)
            break;
    }
    return ret_area->end != 0;
}

static void sum_up(struct hst_chunks *chunks)
{
    struct hst_chunk_sums *sums = &chunks->sums;
    for (size_t i = 0; i < chunks->count; i++) {
        const struct hst_chunk *chunk = &chunks->items[i];
        sums->in_use += chunk->in_use;
        sums->free += !chunk->in_use;
        *(chunk->in_use ? &sums->in_use_bytes : &sums->free_bytes) += chunk->bytes;
    }
}

enum hst_status hst_chunks_find_all(struct hst_image *image, const struct hst_maps *maps,
                                    struct hst_chunks *ret_chunks)
{
    struct finder finder = {.image = image, .chunks = ret_chunks};
    enum hst_status status = HST_OK;
    size_t run = 0, mapping = 0;
    struct area area;
    *ret_chunks = (struct hst_chunks){0};
    while (status == HST_OK && next_area(&finder, maps, &mapping, &area))
        status = walk_area(&finder, &area, &run);
    if (status == HST_OK) {
        find_caches(&finder);
        find_fast(&finder, maps);
        sum_up(ret_chunks);
    } else {
        hst_chunks_release(ret_chunks);
    }
    hst_free(finder.tops);
    hst_map_release(&finder.top_by_chunk);
    return status;
}

void hst_chunks_release(struct hst_chunks *chunks)
{
    hst_free(chunks->items);
    *chunks = (struct hst_chunks){0};
}

const struct hst_chunk *hst_chunks_find(const struct hst_chunks *chunks, hst_raddr address)
{
    size_t low = 0, high = chunks->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (chunks->items[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || address - chunks->items[low - 1].address >= chunks->items[low - 1].bytes)
        return NULL;
    return &chunks->items[low - 1];
}
