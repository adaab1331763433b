/* Proves calls by reading the target. */
#include "reader/edge.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
    WITNESSES_WANTED = 2,
    FAILURES_A_WITNESS = 10000, /* reads: more of them for each proof, and luck proved it */
    PROOFS_WANTED = 5,          /* without a witness, or by a generator, which may be another's by now */
    FAILURES_A_PROOF = 20,
    WITNESS_TRIES = 8,
    PROOF_TRIES = 10,
    EAGER_TRIES = 16,
    CALLER_BYTES_MAX = 4096, /* of a frame with its locals and value stack: as much of it is looked at */
    ABOVE_MAX = 8,
    CACHE_BYTES_MAX = 18, /* of an instruction that reads an attribute */
};

/* A site's value: the code's index, and whether the place was seen to leave witnesses. */
#define SITE_WITNESSED 0x40000000u
#define SITE_CODE (SITE_WITNESSED - 1)

/* A proof takes well under 2 us. One that took longer was interrupted, and the caller may have gone all the
 * way round and come back to the same call meanwhile. */
#define PROOF_NS 3000u

void hst_edge_table_init(struct hst_edge_table *table, struct hst_memory *memory, const struct hst_abi *abi,
                         const struct hst_code_table *codes)
{
    *table = (struct hst_edge_table){.memory = memory, .abi = abi, .codes = codes};
}

void hst_edge_table_release(struct hst_edge_table *table)
{
    hst_map_release(&table->by_key);
    hst_map_release(&table->sites);
    hst_map_release(&table->places);
    hst_map_release(&table->callers);
    hst_free(table->beliefs);
    table->beliefs = NULL;
    table->count = table->capacity = 0;
}

/* A read of the caller's frame with its locals and value stack, the frames above it, and the caller again. */
struct sandwich {
    uint8_t bytes[2][CALLER_BYTES_MAX + HST_ABI_HEAD_BYTES_MAX];
    uint8_t above[ABOVE_MAX][HST_ABI_HEAD_BYTES_MAX]; /* from the caller up: marks, callee */
    const uint8_t *callee;
    uint32_t caller_bytes;
    hst_raddr current[2];
};

static uint32_t caller_bytes(const struct hst_edge_table *table, const struct hst_edge *edge)
{
    uint32_t all = table->codes->codes[edge->caller_code]->frame_bytes, head = hst_frame_bytes(table->abi);
    return all > CALLER_BYTES_MAX ? CALLER_BYTES_MAX : all < head ? head : all;
}

static enum hst_status read_pieces(struct hst_edge_table *table, struct hst_piece *pieces, size_t count)
{
    uint64_t begin = hst_now_ns();
    HST_TRY(hst_memory_read_pieces(table->memory, pieces, count));
    return table->memory->still || hst_now_ns() - begin <= PROOF_NS ? HST_OK : HST_E_TORN;
}

/* Caller, callee, caller. A callee right behind its caller is read in one piece with it, in half the time. */
static enum hst_status read_call(struct hst_edge_table *table, const struct hst_edge *edge,
                                 struct sandwich *into)
{
    const struct hst_frame *callee = &edge->frames[0], *caller = &edge->frames[1];
    uint32_t head = hst_frame_bytes(table->abi);
    uint64_t distance = callee->address - caller->address;
    struct hst_piece pieces[3];
    size_t count = 0;
    into->caller_bytes = caller_bytes(table, edge);
    if (distance >= into->caller_bytes && distance <= CALLER_BYTES_MAX) {
        pieces[count++] = (struct hst_piece){caller->address, into->bytes[0], distance + head};
        into->callee = into->bytes[0] + distance;
    } else {
        pieces[count++] = (struct hst_piece){caller->address, into->bytes[0], into->caller_bytes};
        pieces[count++] = (struct hst_piece){callee->address, into->above[0], head};
        into->callee = into->above[0];
    }
    pieces[count++] = (struct hst_piece){caller->address, into->bytes[1], into->caller_bytes};
    return read_pieces(table, pieces, count);
}

/* Caller, running frame, marks, callee, running frame, caller. */
static enum hst_status read_moment(struct hst_edge_table *table, const struct hst_edge *edge,
                                   struct sandwich *into)
{
    struct hst_piece pieces[ABOVE_MAX + 4];
    size_t count = 0, above = edge->count - 1;
    const struct hst_frame *caller = &edge->frames[above];
    if (above > ABOVE_MAX)
        return HST_E_TORN;
    into->caller_bytes = caller_bytes(table, edge);
    into->callee = into->above[above - 1];
    pieces[count++] = (struct hst_piece){caller->address, into->bytes[0], into->caller_bytes};
    pieces[count++] = (struct hst_piece){edge->current, &into->current[0], sizeof into->current[0]};
    for (size_t i = 0; i < above; i++)
        pieces[count++] = (struct hst_piece){edge->frames[above - 1 - i].address, into->above[i],
                                             hst_frame_bytes(table->abi)};
    pieces[count++] = (struct hst_piece){edge->current, &into->current[1], sizeof into->current[1]};
    pieces[count++] = (struct hst_piece){caller->address, into->bytes[1], into->caller_bytes};
    return read_pieces(table, pieces, count);
}

/* The caller stands at the same call in both slices as in the copy. */
static int stands_at_call(const struct hst_edge_table *table, const struct hst_edge *edge,
                          const struct sandwich *read)
{
    const struct hst_frame *expected = &edge->frames[edge->count - 1];
    struct hst_frame before = hst_frame_decode(table->abi, expected->address, read->bytes[0]);
    struct hst_frame after = hst_frame_decode(table->abi, expected->address, read->bytes[1]);
    return hst_frame_same(&before, &after) && before.code == expected->code &&
           before.instruction == expected->instruction;
}

static int hangs_below(const struct hst_edge_table *table, const struct hst_frame *expected,
                       const uint8_t *bytes, hst_raddr below)
{
    struct hst_frame f = hst_frame_decode(table->abi, expected->address, bytes);
    return f.previous == below && f.code == expected->code && f.executing;
}

/* Nothing of the caller moved, neither a variable nor its value stack: it did not come round to the same call
 * again. */
static int stood_still(const struct sandwich *read)
{
    return memcmp(read->bytes[0], read->bytes[1], read->caller_bytes) == 0;
}

/* Whether the word at this offset of the object is that address. */
static int leads_to(struct hst_edge_table *table, hst_raddr object, uint32_t offset, hst_raddr to)
{
    hst_raddr target;
    return (object & 7) == 0 && object >= 4096 &&
           hst_memory_read_u64(table->memory, object + offset, &target) == HST_OK && target == to;
}

static hst_raddr slot_at(const struct hst_abi *abi, const uint8_t *bytes, uint64_t index)
{
    return hst_frame_untag(abi, hst_u64_at(bytes, abi->frame_localsplus + index * 8));
}

static uint64_t slot_count(const struct hst_abi *abi, const struct sandwich *read)
{
    return (read->caller_bytes - abi->frame_localsplus) / 8;
}

/* To 3.10: the callee's function, or the generator, lies on the caller's value stack. */
static int holds_callee(struct hst_edge_table *table, const struct hst_edge *edge,
                        const struct sandwich *read)
{
    const struct hst_frame *callee = &edge->frames[0];
    int generator = table->codes->codes[edge->callee_code]->generator;
    hst_raddr wanted = generator ? callee->address : callee->code;
    uint32_t offset = generator ? table->abi->object_size : table->abi->function_code;
    uint64_t count = slot_count(table->abi, read);
    for (uint64_t i = table->codes->codes[edge->caller_code]->locals; i < count; i++) {
        hst_raddr object = slot_at(table->abi, read->bytes[0], i);
        if (object == slot_at(table->abi, read->bytes[1], i) && leads_to(table, object, offset, wanted))
            return 1;
    }
    return 0;
}

/* The generator that goes on lies on the caller's value stack. Its memory may be another's by now, but not
 * while the caller stood still. */
static int holds_generator(const struct hst_edge_table *table, const struct hst_edge *edge,
                           const struct sandwich *read)
{
    uint64_t count = slot_count(table->abi, read);
    hst_raddr generator = edge->frames[0].address - table->abi->gen_frame;
    int found = 0;
    for (uint64_t i = table->codes->codes[edge->caller_code]->locals; i < count && !found; i++)
        found = slot_at(table->abi, read->bytes[0], i) == generator;
    return found && stood_still(read);
}

/* Slots before the caller's saved top of the value stack; UINT64_MAX: it is not saved. */
static uint64_t saved_top(const struct hst_abi *abi, const uint8_t *bytes, hst_raddr address)
{
    int32_t index;
    if (abi->minor >= 14)
        return (hst_u64_at(bytes, abi->frame_stack_top) - (address + abi->frame_localsplus)) / 8;
    memcpy(&index, bytes + abi->frame_stack_top, sizeof index);
    return index >= 0 ? (uint64_t)index : UINT64_MAX;
}

/* The called function lies at the saved top of the caller's stack, or second behind what a method call leaves
 * free (to 3.12); or the method that it is called by. */
static int holds_function(struct hst_edge_table *table, const struct hst_edge *edge,
                          const struct sandwich *read, hst_raddr function)
{
    const struct hst_abi *abi = table->abi;
    uint64_t top = saved_top(abi, read->bytes[0], edge->frames[1].address);
    if (top != saved_top(abi, read->bytes[1], edge->frames[1].address))
        return 0;
    for (uint64_t i = top; i < slot_count(abi, read) && i - top < 2; i++) {
        hst_raddr object = slot_at(abi, read->bytes[0], i);
        if (object == slot_at(abi, read->bytes[1], i) &&
            (object == function || leads_to(table, object, abi->object_size, function)))
            return 1;
    }
    return 0;
}

/* A property's function lies in the cache behind the instruction that reads the attribute. */
static int is_cached(struct hst_edge_table *table, hst_raddr instruction, hst_raddr function)
{
    uint8_t cache[CACHE_BYTES_MAX];
    if (table->abi->minor < 12 ||
        hst_memory_read(table->memory, instruction + 2, cache, sizeof cache) != HST_OK)
        return 0;
    for (size_t i = 0; i + 8 <= sizeof cache; i += 2)
        if (hst_u64_at(cache, i) == function)
            return 1;
    return 0;
}

static int prove_by_witness(struct hst_edge_table *table, const struct hst_edge *edge)
{
    struct sandwich read;
    if (read_call(table, edge, &read) != HST_OK || !stands_at_call(table, edge, &read) ||
        !hangs_below(table, &edge->frames[0], read.callee, edge->frames[1].address))
        return 0;
    if (table->abi->minor <= 10)
        return holds_callee(table, edge, &read);
    struct hst_frame callee = hst_frame_decode(table->abi, edge->frames[0].address, read.callee);
    if (callee.owner == HST_OWNER_GENERATOR)
        return holds_generator(table, edge, &read);
    return callee.function != 0 && (holds_function(table, edge, &read, callee.function) ||
                                    is_cached(table, edge->frames[1].instruction, callee.function));
}

/* A frame that was left keeps its contents: the callee is alive only when the running frame is this one, or
 * the one that was running above it. */
static int is_alive(const struct hst_edge *edge, hst_raddr current)
{
    return current == edge->frames[0].address || current == edge->leaf;
}

static int prove_by_stillness(struct hst_edge_table *table, const struct hst_edge *edge)
{
    struct sandwich read;
    if (read_moment(table, edge, &read) != HST_OK || !stands_at_call(table, edge, &read) ||
        !stood_still(&read) || !is_alive(edge, read.current[0]) || !is_alive(edge, read.current[1]))
        return 0;
    hst_raddr below = edge->frames[edge->count - 1].address;
    for (size_t i = 0; i + 1 < edge->count; i++) {
        const struct hst_frame *expected = &edge->frames[edge->count - 2 - i];
        if (!hangs_below(table, expected, read.above[i], below))
            return 0;
        below = expected->address;
    }
    return 1;
}

static struct hst_edge_belief *belief_of(struct hst_edge_table *table, uint64_t key)
{
    uint32_t found = hst_map_find(&table->by_key, key);
    if (found != HST_MAP_ABSENT)
        return &table->beliefs[found];
    if (!HST_RESERVE(table->beliefs, table->capacity, table->count + 1) ||
        !hst_map_set(&table->by_key, key, (uint32_t)table->count))
        return NULL;
    table->beliefs[table->count] = (struct hst_edge_belief){0};
    return &table->beliefs[table->count++];
}

static int is_believed(const struct hst_edge_belief *b, int generator)
{
    uint64_t witness_failures = generator ? FAILURES_A_PROOF : FAILURES_A_WITNESS;
    unsigned witnesses_wanted = generator ? PROOFS_WANTED : WITNESSES_WANTED;
    return b->learned || (b->witnessed >= witnesses_wanted && b->failed <= b->witnessed * witness_failures) ||
           (b->still >= PROOFS_WANTED && b->failed <= b->still * (uint64_t)FAILURES_A_PROOF);
}

/* Tries to prove the edge, and notes how often that failed. */
static void prove(struct hst_edge_table *table, const struct hst_edge *edge, struct hst_edge_belief *belief)
{
    uint32_t site = hst_map_find(&table->sites, edge->caller_location);
    int generator = table->codes->codes[edge->callee_code]->generator, direct = edge->count == 2;
    for (int i = 0; i < WITNESS_TRIES && direct && !is_believed(belief, generator); i++) {
        int witnessed = prove_by_witness(table, edge);
        belief->witnessed += witnessed ? 1 : 0;
        belief->failed += witnessed ? 0 : 1;
    }
    if (direct && ((site != HST_MAP_ABSENT && (site & SITE_WITNESSED) != 0) || belief->witnessed > 0))
        return;
    for (int i = 0; i < PROOF_TRIES && !is_believed(belief, generator); i++) {
        int still = prove_by_stillness(table, edge);
        belief->still += still ? 1 : 0;
        belief->failed += still ? 0 : 1;
    }
}

/* What was last proved at the place goes on top of stacks that are torn there. */
static void note_site(struct hst_edge_table *table, const struct hst_edge *edge, int witnessed)
{
    uint32_t site = hst_map_find(&table->sites, edge->caller_location);
    uint32_t flag = (site != HST_MAP_ABSENT ? site & SITE_WITNESSED : 0) | (witnessed ? SITE_WITNESSED : 0);
    if (site != (edge->callee_code | flag))
        (void)hst_map_set(&table->sites, edge->caller_location, edge->callee_code | flag);
}

static uint64_t key_of(uint32_t caller, uint32_t callee) { return (uint64_t)caller << 32 | callee; }

static void note_place(struct hst_edge_table *table, const struct hst_edge *edge)
{
    (void)hst_map_set(&table->places, key_of(edge->caller_code, edge->callee_code), edge->caller_location);
    (void)hst_map_set(&table->callers, edge->callee_code, edge->caller_code);
}

void hst_edge_learn(struct hst_edge_table *table, const struct hst_edge *edge)
{
    struct hst_edge_belief *belief = belief_of(table, key_of(edge->caller_location, edge->callee_code));
    if (belief == NULL)
        return;
    if (!belief->learned)
        note_place(table, edge);
    belief->learned = 1;
    note_site(table, edge, 0);
}

int hst_edge_believe(struct hst_edge_table *table, const struct hst_edge *edge)
{
    struct hst_edge_belief *belief = belief_of(table, key_of(edge->caller_location, edge->callee_code));
    if (belief == NULL)
        return 0;
    int generator = table->codes->codes[edge->callee_code]->generator;
    if (!is_believed(belief, generator)) {
        /* What never stands the test is tried ever less: when it is asked for the 1st to 8th time, 16th, 32nd
         * ... */
        belief->asked += belief->asked < UINT32_MAX;
        if (belief->asked > EAGER_TRIES && (belief->asked & (belief->asked - 1)) != 0)
            return 0;
        prove(table, edge, belief);
        if (!is_believed(belief, generator))
            return 0;
        note_place(table, edge);
    }
    note_site(table, edge, belief->witnessed > 0);
    return 1;
}

int hst_edge_is_known(const struct hst_edge_table *table, uint32_t caller_location, uint32_t callee_code)
{
    uint32_t found = hst_map_find(&table->by_key, key_of(caller_location, callee_code));
    return found != HST_MAP_ABSENT &&
           is_believed(&table->beliefs[found], table->codes->codes[callee_code]->generator);
}

uint32_t hst_edge_place_find(const struct hst_edge_table *table, uint32_t caller_code, uint32_t callee_code)
{
    return hst_map_find(&table->places, key_of(caller_code, callee_code));
}

uint32_t hst_edge_caller_find(const struct hst_edge_table *table, uint32_t callee_code)
{
    return hst_map_find(&table->callers, callee_code);
}

uint32_t hst_edge_callee_find(const struct hst_edge_table *table, uint32_t caller_location)
{
    uint32_t site = hst_map_find(&table->sites, caller_location);
    return site != HST_MAP_ABSENT ? site & SITE_CODE : HST_MAP_ABSENT;
}
