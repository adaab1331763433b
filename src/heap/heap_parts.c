/* Goes over all mappings: first what lies between chunks (pools, stacks, variables, memory of no known
 * allocator), then the chunks, whose owners depend on the former. */
#include "heap/heap_parts.h"

#include <stdlib.h>

#include "base/memory.h"
#include "heap/native.h"

enum { PAGE = 4096, HEAD_BYTES_MAX = 16 /* of a chunk, with what rounding adds */ };

/* Memory that is there. */
struct span {
    hst_raddr start, end;
};

struct sum {
    uint32_t kind, name;
    double bytes;
};

struct account {
    const struct hst_parts_input *input;
    struct hst_heap *heap;
    uint32_t *names; /* of each residence */
    double *shares;  /* of each residence: how much of what the image has of it is resident */
    struct span *spans;
    size_t span_count, span_capacity, span; /* span: those before it are behind what was asked for last */
    struct hst_extent *extents;
    size_t extent_count, extent_capacity;
    struct sum *sums;
    size_t sum_count, sum_capacity;
    struct hst_map by_key; /* kind and name -> sum */
    size_t chunk, area;    /* the first that were not passed */
    double pools_used, python_chunks, python_chunk_count, python_extents, data, total;
};

/* --- names and sums --- */

static enum hst_status add(struct account *account, enum hst_part_kind kind, uint32_t name, double bytes)
{
    uint64_t key = (uint64_t)kind << 32 | name;
    uint32_t index = hst_map_find(&account->by_key, key);
    if (bytes <= 0)
        return HST_OK;
    if (index == HST_MAP_ABSENT) {
        index = (uint32_t)account->sum_count;
        if (!HST_RESERVE(account->sums, account->sum_capacity, account->sum_count + 1) ||
            !hst_map_set(&account->by_key, key, index))
            return HST_E_NOMEM;
        account->sums[account->sum_count++] = (struct sum){.kind = kind, .name = name};
    }
    account->sums[index].bytes += bytes;
    return HST_OK;
}

static enum hst_status add_text(struct account *account, enum hst_part_kind kind, const char *text,
                                double bytes)
{
    uint32_t name = hst_strings_add_z(&account->heap->strings, text);
    return name != HST_MAP_ABSENT ? add(account, kind, name, bytes) : HST_E_NOMEM;
}

static enum hst_status name_residences(struct account *account)
{
    const struct hst_residency *residency = account->input->residency;
    account->names = hst_alloc_zero(residency->count, sizeof *account->names);
    if (account->names == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < residency->count; i++) {
        size_t length;
        const char *text = hst_residence_name(&residency->items[i], &length);
        account->names[i] = hst_strings_add(&account->heap->strings, text, length);
        if (account->names[i] == HST_MAP_ABSENT)
            return HST_E_NOMEM;
    }
    return HST_OK;
}

/* --- which pages are there --- */

static enum hst_status add_span(struct account *account, hst_raddr start, hst_raddr end)
{
    if (account->span_count > 0 && account->spans[account->span_count - 1].end == start) {
        account->spans[account->span_count - 1].end = end;
        return HST_OK;
    }
    if (!HST_RESERVE(account->spans, account->span_capacity, account->span_count + 1))
        return HST_E_NOMEM;
    account->spans[account->span_count++] = (struct span){start, end};
    return HST_OK;
}

static int is_zero(const uint8_t *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* A core file has the pages that were never touched too. */
static enum hst_status find_spans(struct account *account)
{
    const struct hst_image *image = account->input->image;
    for (size_t i = 0; i < image->run_count; i++) {
        const struct hst_image_run *run = &image->runs[i];
        if (account->input->residency->is_measured) {
            HST_TRY(add_span(account, run->start, run->end));
            continue;
        }
        for (hst_raddr at = run->start; at < run->end; at += PAGE) {
            size_t length = run->end - at < PAGE ? (size_t)(run->end - at) : PAGE;
            if (!is_zero(run->bytes + (at - run->start), length))
                HST_TRY(add_span(account, at, at + length));
        }
    }
    return HST_OK;
}

/* Bytes of [start, end) that are there; start must not be before that of the last call. */
static double present(struct account *account, hst_raddr start, hst_raddr end)
{
    uint64_t bytes = 0;
    while (account->span < account->span_count && account->spans[account->span].end <= start)
        account->span++;
    for (size_t i = account->span; i < account->span_count && account->spans[i].start < end; i++) {
        const struct span *span = &account->spans[i];
        bytes += (span->end < end ? span->end : end) - (span->start > start ? span->start : start);
    }
    return (double)bytes;
}

/* Contents are looked at: the copy has them. */
static int is_looked_at(const struct hst_residence *row)
{
    return row->kind == HST_RESIDENCE_ANONYMOUS || row->kind == HST_RESIDENCE_HEAP ||
           row->kind == HST_RESIDENCE_DATA;
}

static enum hst_status add_whole(struct account *account, size_t index, double bytes)
{
    const struct hst_residence *row = &account->input->residency->items[index];
    double own = (double)row->own_bytes;
    switch (row->kind) {
    case HST_RESIDENCE_STACK:
        return add_text(account, HST_PART_STACK, "main thread", bytes);
    case HST_RESIDENCE_SHARED:
        return add(account, HST_PART_SHARED, account->names[index], bytes);
    case HST_RESIDENCE_FILE: /* what was relocated and then made read-only is the library's own */
        if ((row->flags & HST_MAP_WRITE) != 0)
            own = 0;
        HST_TRY(add(account, HST_PART_NATIVE, account->names[index], own));
        return add(account, HST_PART_FILE, account->names[index], bytes - own);
    case HST_RESIDENCE_SYSTEM:
        return add(account, HST_PART_FILE, account->names[index], bytes);
    default:
        return HST_OK;
    }
}

/* Mappings whose contents do not matter are added, of the others it is told which share is resident. */
static enum hst_status measure(struct account *account)
{
    const struct hst_residency *residency = account->input->residency;
    account->shares = hst_alloc_zero(residency->count, sizeof *account->shares);
    if (account->shares == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < residency->count; i++) {
        const struct hst_residence *row = &residency->items[i];
        double there = present(account, row->start, row->end);
        double own = row->kind == HST_RESIDENCE_DATA ? (double)row->own_bytes : (double)row->resident_bytes;
        account->total += residency->is_measured ? (double)row->resident_bytes : there;
        account->shares[i] = !residency->is_measured || own > there ? 1 : there > 0 ? own / there : 0;
        if (!is_looked_at(row))
            HST_TRY(add_whole(account, i, residency->is_measured ? own : there));
        else if (row->kind == HST_RESIDENCE_DATA && residency->is_measured)
            HST_TRY(add(account, HST_PART_FILE, account->names[i],
                        (double)(row->resident_bytes - row->own_bytes)));
    }
    account->span = 0;
    return HST_OK;
}

/* --- between chunks --- */

static uint64_t arena_bytes(const struct hst_abi *abi) { return abi->minor >= 10 ? 1 << 20 : 256 << 10; }

/* Memory without a chunk or a pool. is_near: a pool is right beside it. */
static enum hst_status add_rest(struct account *account, size_t index, hst_raddr start, hst_raddr end,
                                int is_near)
{
    const struct hst_residence *row = &account->input->residency->items[index];
    if (start < row->data_end && row->data_end < end) {
        HST_TRY(add_rest(account, index, start, row->data_end, 0));
        start = row->data_end;
    }
    double bytes = start < end ? present(account, start, end) * account->shares[index] : 0;
    if (bytes <= 0 || row->kind == HST_RESIDENCE_HEAP)
        return HST_OK;
    if (start < row->data_end) {
        account->data += bytes;
        return add(account, HST_PART_NATIVE, account->names[index], bytes);
    }
    if (is_near && end - start < arena_bytes(account->input->abi)) /* of an arena, not made a pool yet */
        return add(account, HST_PART_UNUSED, 0, bytes);
    if (!HST_RESERVE(account->extents, account->extent_capacity, account->extent_count + 1))
        return HST_E_NOMEM;
    account->extents[account->extent_count++] =
        (struct hst_extent){.start = start, .end = end, .residence = (uint32_t)index};
    return HST_OK;
}

/* The next place from address on where a pool may be: there is memory. */
static hst_raddr next_pool(struct account *account, hst_raddr address, uint64_t pool)
{
    address = (address + pool - 1) / pool * pool;
    while (account->span < account->span_count && account->spans[account->span].end <= address)
        account->span++;
    if (account->span == account->span_count)
        return UINT64_MAX;
    hst_raddr start = account->spans[account->span].start / pool * pool;
    return start > address ? start : address;
}

static enum hst_status add_pooled(struct account *account, size_t index, hst_raddr start, hst_raddr end)
{
    const struct hst_parts_input *input = account->input;
    uint64_t pool = hst_pool_bytes(input->abi);
    hst_raddr rest = start;
    int is_near = 0;
    size_t span = account->span;
    for (hst_raddr at = start; (at = next_pool(account, at, pool)) < end && end - at >= pool; at += pool) {
        enum hst_pool_use use = hst_pools_look(input->image, input->abi, at);
        if (use == HST_POOL_NONE)
            continue;
        account->span = span;
        HST_TRY(add_rest(account, index, rest, at, 1));
        double bytes = present(account, at, at + pool) * account->shares[index];
        if (use == HST_POOL_USED)
            account->pools_used += bytes;
        else
            HST_TRY(add(account, HST_PART_UNUSED, 0, bytes));
        rest = at + pool;
        is_near = 1;
        span = account->span;
    }
    account->span = span;
    return add_rest(account, index, rest, end, is_near);
}

/* [start, end) of mimalloc's. */
static enum hst_status add_area(struct account *account, size_t index, hst_raddr start, hst_raddr end,
                                int in_use)
{
    double bytes = present(account, start, end) * account->shares[index];
    if (!in_use)
        return add(account, HST_PART_UNUSED, 0, bytes);
    account->pools_used += bytes;
    return HST_OK;
}

static enum hst_status add_gap(struct account *account, size_t index, hst_raddr start, hst_raddr end)
{
    const struct hst_parts_input *input = account->input;
    for (; account->area < input->area_count && start < end; account->area++) {
        const struct hst_own_area *area = &input->areas[account->area];
        hst_raddr from = area->start > start ? area->start : start;
        hst_raddr to = area->end < end ? area->end : end;
        if (area->start >= end)
            break;
        if (area->end <= start)
            continue;
        if (from > start)
            HST_TRY(add_pooled(account, index, start, from));
        HST_TRY(add_area(account, index, from, to, area->in_use));
        start = to;
        if (area->end > end)
            break; /* it goes on in the next gap */
    }
    return start < end ? add_pooled(account, index, start, end) : HST_OK;
}

static enum hst_status add_gaps(struct account *account, size_t index)
{
    const struct hst_residence *row = &account->input->residency->items[index];
    const struct hst_chunks *chunks = account->input->chunks;
    hst_raddr at = row->start;
    if (row->stack_end > at) {
        double bytes = present(account, at, row->stack_end) * account->shares[index];
        HST_TRY(add_text(account, HST_PART_STACK, row->tid != 0 ? "other threads" : "ended threads", bytes));
        at = row->stack_end;
    }
    for (; account->chunk < chunks->count; account->chunk++) {
        const struct hst_chunk *chunk = &chunks->items[account->chunk];
        hst_raddr start = chunk->address - hst_chunk_head_bytes(chunk);
        if (start >= row->end)
            break;
        if (start > at)
            HST_TRY(add_gap(account, index, at, start));
        if (chunk->address + chunk->bytes > at)
            at = chunk->address + chunk->bytes;
        if (at > row->end)
            break; /* it goes on in the next mapping */
    }
    return at < row->end ? add_gap(account, index, at, row->end) : HST_OK;
}

static enum hst_status add_all_gaps(struct account *account)
{
    for (size_t i = 0; i < account->input->residency->count; i++)
        if (is_looked_at(&account->input->residency->items[i]))
            HST_TRY(add_gaps(account, i));
    return HST_OK;
}

/* --- chunks --- */

static enum hst_status add_owned(struct account *account, uint32_t owner, double bytes)
{
    return add(account, HST_PART_NATIVE, owner != HST_NATIVE_MANY ? owner : 0, bytes);
}

static enum hst_status add_chunk(struct account *account, size_t index, double share, uint32_t owner)
{
    const struct hst_chunk *chunk = &account->input->chunks->items[index];
    uint64_t head = hst_chunk_head_bytes(chunk);
    double bytes = present(account, chunk->address - head, chunk->address + chunk->bytes) * share;
    double head_bytes = bytes < (double)head ? bytes : (double)head;
    HST_TRY(add(account, HST_PART_OVERHEAD, 0, head_bytes));
    bytes -= head_bytes;
    if (!chunk->in_use)
        return add(account, HST_PART_NATIVE_FREE, 0, bytes);
    if (!hst_is_python_chunk(account->input->python_chunks, index))
        return add_owned(account, owner, bytes);
    account->python_chunks += bytes;
    account->python_chunk_count++;
    return HST_OK;
}

static enum hst_status add_chunks(struct account *account, const uint32_t *owners)
{
    const struct hst_residency *residency = account->input->residency;
    const struct hst_chunks *chunks = account->input->chunks;
    size_t row = 0;
    account->span = 0;
    for (size_t i = 0; i < chunks->count; i++) {
        hst_raddr start = chunks->items[i].address - hst_chunk_head_bytes(&chunks->items[i]);
        while (row < residency->count && residency->items[row].end <= start)
            row++;
        if (row == residency->count)
            break;
        const struct hst_residence *at = &residency->items[row];
        if (start >= at->start && start >= at->stack_end && is_looked_at(at))
            HST_TRY(add_chunk(account, i, account->shares[row], owners[i]));
    }
    return HST_OK;
}

static enum hst_status add_pieces(struct account *account, const struct hst_native_owners *owners)
{
    account->span = 0;
    for (size_t i = 0; i < owners->piece_count; i++) {
        const struct hst_extent *piece = &owners->pieces[i];
        double bytes = present(account, piece->start, piece->end) * account->shares[piece->residence];
        if (piece->owner == HST_NATIVE_PYTHON)
            account->python_extents += bytes;
        else if (piece->owner != 0)
            HST_TRY(add_owned(account, piece->owner, bytes));
    }
    return add(account, HST_PART_TABLES, 0, account->python_extents);
}

static enum hst_status add_native(struct account *account)
{
    const struct hst_parts_input *input = account->input;
    const struct hst_native_input native = {.image = input->image,
                                            .abi = input->abi,
                                            .residency = input->residency,
                                            .names = account->names,
                                            .chunks = input->chunks,
                                            .python_chunks = input->python_chunks,
                                            .extents = account->extents,
                                            .extent_count = account->extent_count};
    HST_CLEANUP(hst_native_owners_release) struct hst_native_owners owners;
    HST_TRY(hst_native_find(&native, &owners));
    HST_TRY(add_pieces(account, &owners));
    return add_chunks(account, owners.chunks);
}

/* --- what of it is Python's --- */

/* Lessens amounts until their sum is resident: the last ones first, as far as to nothing; then the first firm
 * ones alike. What was never touched, or was swapped out, is rather a free block than an object. */
static void fit(double *amounts, size_t count, size_t firm, double resident)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += amounts[i];
    for (size_t i = count; i > firm && sum > resident; i--) {
        double less = sum - resident < amounts[i - 1] ? sum - resident : amounts[i - 1];
        amounts[i - 1] -= less;
        sum -= less;
    }
    for (size_t i = 0; i < firm && sum > resident; i++)
        amounts[i] *= resident / sum;
}

static double beyond(uint64_t all, const struct hst_bytes_held *known)
{
    double rest = (double)all - (double)known->objects - (double)known->tables - (double)known->slack;
    return rest > 0 ? rest : 0;
}

static enum hst_status add_pools(struct account *account)
{
    const struct hst_parts_input *input = account->input;
    const struct hst_bytes_held *known = &input->held[HST_IN_POOLS];
    double amounts[] = {(double)known->objects,
                        (double)known->tables,
                        beyond(input->pools.block_bytes, known), /* C code uses small blocks too */
                        (double)input->pools.overhead_bytes,
                        (double)known->slack,
                        (double)input->pools.free_bytes};
    static const enum hst_part_kind kinds[] = {HST_PART_OBJECTS,  HST_PART_TABLES, HST_PART_NATIVE,
                                               HST_PART_OVERHEAD, HST_PART_SLACK,  HST_PART_FREE};
    fit(amounts, HST_ARRAY_LENGTH(amounts), 4, account->pools_used);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(amounts); i++)
        HST_TRY(add(account, kinds[i], 0, amounts[i]));
    return HST_OK;
}

/* What the chunks have beyond what is known is rounding, or else belongs to tables. */
static enum hst_status add_python_chunks(struct account *account)
{
    const struct hst_bytes_held *known = &account->input->held[HST_IN_CHUNKS];
    double amounts[] = {(double)known->objects, (double)known->tables, (double)known->slack};
    double rest = account->python_chunks - amounts[0] - amounts[1] - amounts[2];
    double rounding = HEAD_BYTES_MAX * account->python_chunk_count;
    fit(amounts, HST_ARRAY_LENGTH(amounts), 2, account->python_chunks);
    HST_TRY(add(account, HST_PART_OBJECTS, 0, amounts[0]));
    HST_TRY(add(account, HST_PART_TABLES, 0, amounts[1]));
    HST_TRY(add(account, HST_PART_SLACK, 0, amounts[2]));
    HST_TRY(add(account, HST_PART_OVERHEAD, 0, rest < rounding ? rest : rounding));
    return add(account, HST_PART_TABLES, 0, rest - rounding);
}

/* Objects that are variables of libraries: those have so much less of their own.  More than that are in pages
 * of files, which count as such, or, under an allocator that is not known, in what nothing else explains.
 * Some of the tables were met already. */
static enum hst_status add_elsewhere(struct account *account)
{
    const struct hst_bytes_held *known = &account->input->held[HST_ELSEWHERE];
    double tables = (double)known->tables - account->python_extents;
    double amounts[] = {(double)known->objects, tables > 0 ? tables : 0, (double)known->slack};
    double sum = amounts[0] + amounts[1] + amounts[2], explained = 0;
    for (size_t i = 0; i < account->sum_count; i++)
        explained += account->sums[i].bytes;
    double unexplained = account->total > explained ? account->total - explained : 0;
    double in_data = sum < account->data ? sum : account->data;
    account->span = 0;
    for (size_t i = 0; i < account->input->residency->count && in_data > 0; i++) {
        const struct hst_residence *row = &account->input->residency->items[i];
        uint32_t index = hst_map_find(&account->by_key, (uint64_t)HST_PART_NATIVE << 32 | account->names[i]);
        if (row->kind != HST_RESIDENCE_DATA || index == HST_MAP_ABSENT)
            continue;
        double own = account->shares[i] * present(account, row->start, row->data_end);
        double less = own / account->data * in_data;
        account->sums[index].bytes -= less < account->sums[index].bytes ? less : account->sums[index].bytes;
    }
    fit(amounts, HST_ARRAY_LENGTH(amounts), 2,
        in_data + (account->input->chunks->count == 0 ? unexplained : 0));
    HST_TRY(add(account, HST_PART_OBJECTS, 0, amounts[0]));
    HST_TRY(add(account, HST_PART_TABLES, 0, amounts[1]));
    return add(account, HST_PART_SLACK, 0, amounts[2]);
}

/* --- the answer --- */

static int compare(const void *a, const void *b)
{
    const struct hst_heap_part *one = a, *other = b;
    if (one->kind != other->kind)
        return one->kind < other->kind ? -1 : 1;
    if (one->bytes != other->bytes)
        return one->bytes < other->bytes ? 1 : -1;
    return (one->name > other->name) - (one->name < other->name);
}

static enum hst_status give(struct account *account)
{
    struct hst_heap *heap = account->heap;
    uint64_t total = (uint64_t)account->total, explained = 0;
    struct hst_heap_part *parts = hst_alloc(account->sum_count + 1, sizeof *parts);
    size_t count = 0;
    if (parts == NULL)
        return HST_E_NOMEM;
    for (size_t i = 0; i < account->sum_count; i++) {
        const struct sum *sum = &account->sums[i];
        uint64_t left = total - explained, bytes = sum->bytes > 0 ? (uint64_t)sum->bytes : 0;
        if (bytes > left)
            bytes = left;
        if (bytes > 0)
            parts[count++] = (struct hst_heap_part){.kind = sum->kind, .name = sum->name, .bytes = bytes};
        explained += bytes;
    }
    if (explained < total)
        parts[count++] = (struct hst_heap_part){.kind = HST_PART_OTHER, .bytes = total - explained};
    qsort(parts, count, sizeof *parts, compare);
    hst_free(heap->parts);
    heap->parts = parts;
    heap->part_count = count;
    heap->resident_bytes = account->input->residency->is_measured ? total : 0;
    return HST_OK;
}

static enum hst_status find(struct account *account)
{
    HST_TRY(name_residences(account));
    HST_TRY(find_spans(account));
    HST_TRY(measure(account));
    HST_TRY(add_all_gaps(account));
    HST_TRY(add_native(account));
    HST_TRY(add_pools(account));
    HST_TRY(add_python_chunks(account));
    HST_TRY(add_elsewhere(account));
    return give(account);
}

enum hst_status hst_parts_find(const struct hst_parts_input *input, struct hst_heap *heap)
{
    struct account account = {.input = input, .heap = heap};
    hst_map_init(&account.by_key);
    enum hst_status status = find(&account);
    void *const owned[] = {account.names, account.shares, account.spans, account.extents, account.sums};
    for (size_t i = 0; i < HST_ARRAY_LENGTH(owned); i++)
        hst_free(owned[i]);
    hst_map_release(&account.by_key);
    return status;
}
