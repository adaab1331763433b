/* Copies of stack memory -> believed stacks.  The rules of belief stand in frames.h. */
#include "reader/frames.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "reader/stack_view.h"

enum {
    DEPTH_MAX = 1 << 20,
    EMPTY_READS_WANTED = 3,
    OTHER_ROOTS_WANTED = 3,
    MANY_TRIES = 64,
    STACKS_MAX = 1 << 20, /* about 50 MB of tables */
    FRAME_BYTES_MAX = HST_ABI_HEAD_BYTES_MAX,
    PROOFS_WANTED = 3,     /* after so many proofs an edge is not asked about again ... */
    FAILURES_A_PROOF = 50, /* ... unless it failed far more often: then luck proved it */
    PROOF_TRIES = 40,
    PROOF_PATIENCE = 16, /* failures after which an edge is tried only now and then */
    RECENT = 2048,       /* direct-mapped address -> entry; a power of two */
};

enum { OWNER_GENERATOR = 1, OWNER_FIRST_MARK = 3 };

/* A proof takes well under 2 us. One that took longer was interrupted, and the caller may have gone all the
 * way round and come back to the same call meanwhile. */
#define PROOF_NS 3000u

struct hst_walk {
    struct hst_stack_view view;
    struct hst_frame_entry *entries; /* of the last believed stack, root first */
    size_t count, capacity;
    struct hst_frame *fresh; /* of the copy in hand, leaf first: down to the first frame that is as before */
    size_t fresh_count, fresh_capacity;
    unsigned other_roots;    /* in a row: the chain ended at another frame than that of the last stack */
    int whole_only;          /* a stack that would have to be cut is read again instead */
    unsigned empty_reads;    /* in a row: no frame was running */
    uint32_t recent[RECENT]; /* entry index + 1 by address */
};

void hst_frames_init(struct hst_frames *frames, const struct hst_runtime *runtime,
                     struct hst_profile *profile)
{
    *frames = (struct hst_frames){.runtime = runtime, .profile = profile};
    hst_code_table_init(&frames->codes, runtime->memory, &runtime->abi, profile, runtime->code_type);
}

void hst_frames_release(struct hst_frames *frames)
{
    hst_code_table_release(&frames->codes);
    hst_map_release(&frames->edges);
    hst_map_release(&frames->sites);
}

enum hst_status hst_walk_new(hst_raddr tstate, struct hst_walk **ret_walk)
{
    struct hst_walk *walk = hst_alloc_zero(1, sizeof *walk);
    if (walk == NULL)
        return HST_E_NOMEM;
    walk->view.tstate = tstate; /* memory and layout come with the first read */
    *ret_walk = walk;
    return HST_OK;
}

void hst_walk_free(struct hst_walk *walk)
{
    if (walk != NULL) {
        hst_stack_view_release(&walk->view);
        hst_free(walk->entries);
        hst_free(walk->fresh);
        hst_free(walk);
    }
}

const struct hst_frame_entry *hst_walk_entries(const struct hst_walk *walk, size_t *ret_count)
{
    *ret_count = walk->count;
    return walk->entries;
}

static uint64_t u64_at(const uint8_t *bytes, uint32_t offset)
{
    uint64_t value;
    memcpy(&value, bytes + offset, sizeof value);
    return value;
}

/* How many bytes of a frame are needed: its fixed part. */
static uint32_t frame_bytes(const struct hst_abi *abi)
{
    uint32_t bytes = abi->minor >= 11 ? abi->frame_localsplus : abi->frame_executing + 4;
    return bytes < FRAME_BYTES_MAX ? bytes : FRAME_BYTES_MAX;
}

/* The low bits of a reference on the data stack are tags from 3.14 on. */
static hst_raddr untag(const struct hst_abi *abi, uint64_t reference)
{
    return abi->minor >= 14 ? reference & ~7ull : reference;
}

static struct hst_frame decode_frame(const struct hst_abi *abi, hst_raddr address, const uint8_t *bytes)
{
    struct hst_frame f = {.address = address, .previous = u64_at(bytes, abi->frame_previous)};
    f.code = untag(abi, u64_at(bytes, abi->frame_code));
    if (abi->minor <= 10) {
        int32_t lasti;
        memcpy(&lasti, bytes + abi->frame_instruction, sizeof lasti);
        f.instruction = lasti < 0 ? 0 : (uint64_t)lasti * (abi->minor == 10 ? 2 : 1);
        uint8_t state = bytes[abi->frame_executing];
        f.executing = abi->minor == 10 ? state == 0 : state == 1;
        f.globals = u64_at(bytes, abi->frame_code + 16);
        return f;
    }
    f.instruction = u64_at(bytes, abi->frame_instruction);
    f.globals = u64_at(bytes, abi->frame_function + 8);
    f.owner = bytes[abi->frame_owner];
    f.executing = 1;
    if (abi->frame_tlbc_index != 0)
        memcpy(&f.tlbc_index, bytes + abi->frame_tlbc_index, sizeof f.tlbc_index);
    return f;
}

/* A mark that the interpreter puts where C code calls Python again; no frame of the program. */
static int is_mark(const struct hst_abi *abi, const struct hst_frame *frame)
{
    return abi->minor >= 12 && frame->owner >= OWNER_FIRST_MARK;
}

/* The entry of the last stack at this address if the frame is as it was then, else HST_ID_NONE. */
static uint32_t as_before(const struct hst_walk *walk, const struct hst_frame *f)
{
    uint32_t index = walk->recent[f->address >> 3 & (RECENT - 1)];
    if (index == 0 || index > walk->count)
        return HST_ID_NONE;
    const struct hst_frame_entry *e = &walk->entries[index - 1];
    return e->address == f->address && e->code_address == f->code && e->instruction == f->instruction &&
                   e->previous == f->previous
               ? index - 1
               : HST_ID_NONE;
}

/* A code object may have died between its last look and the moment a frame was found to run at its address.
 * One look later settles it for as long as the frame is there. */
static int settle(struct hst_frames *frames, struct hst_frame_entry *entry, uint64_t now_ns)
{
    if (entry->settled || entry->code == HST_ID_NONE)
        return 1;
    if (hst_code_check(&frames->codes, entry->code, entry->seen_ns + 1, now_ns) != HST_OK)
        return 0;
    entry->settled = 1;
    return 1;
}

/* Whether all entries below index are in the copy as they were: then they are taken over. */
static int unchanged_below(struct hst_frames *frames, struct hst_walk *walk, uint32_t index, uint64_t now_ns)
{
    const struct hst_abi *abi = &frames->runtime->abi;
    uint32_t length = frame_bytes(abi);
    for (uint32_t i = index; i > 0; i--) {
        struct hst_frame_entry *e = &walk->entries[i - 1];
        if (walk->entries[i].previous != e->address || !settle(frames, e, now_ns))
            return 0;
        const uint8_t *bytes = hst_stack_view_get(&walk->view, e->address, length);
        if (bytes == NULL)
            return 0;
        struct hst_frame f = decode_frame(abi, e->address, bytes);
        if (f.code != e->code_address || f.instruction != e->instruction || f.previous != e->previous ||
            !f.executing)
            return 0;
    }
    return 1;
}

/* Whether a chain may end with this frame: not with a generator's, whose link to its caller is cut when it
 * yields, so that a copy of two moments seems to end there. next: where the chain went on from it. */
static int is_root(const struct hst_walk *walk, const struct hst_abi *abi, const struct hst_frame *f,
                   hst_raddr next)
{
    if (walk->view.base_frame != 0)
        return next == walk->view.base_frame;
    return abi->minor >= 12 ? is_mark(abi, f) : f->owner != OWNER_GENERATOR;
}

/* Follows the chain from the leaf. *ret_kept = how many entries of the last stack stay, root first; the frame
 * above those is the last in fresh although it is as before, since its call edge has to be looked at. */
static enum hst_status collect(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns,
                               uint32_t *ret_kept)
{
    const struct hst_abi *abi = &frames->runtime->abi;
    uint32_t length = frame_bytes(abi);
    int may_keep = 1;
    /* A torn chain can be a circle: every address is compared with the one seen at the last power of two
     * (Brent). */
    hst_raddr landmark = 0;
    size_t next_landmark = 64;
    walk->fresh_count = 0;
    *ret_kept = 0;
    hst_raddr next = walk->view.top_frame;
    /* While C code calls Python there is a moment in which no frame runs; a thread that has none has none for
     * long. */
    walk->empty_reads = next == 0 ? walk->empty_reads + 1 : 0;
    if (next == 0 && walk->count > 0 && walk->empty_reads < EMPTY_READS_WANTED)
        return HST_E_TORN;
    while (next != 0 && next != walk->view.base_frame) {
        hst_raddr at = next;
        const uint8_t *bytes = hst_stack_view_get(&walk->view, at, length);
        if (bytes == NULL)
            return HST_E_TORN;
        struct hst_frame f = decode_frame(abi, at, bytes);
        if (!f.executing || at == landmark || walk->fresh_count >= DEPTH_MAX)
            return HST_E_TORN;
        if (walk->fresh_count == next_landmark) {
            landmark = at;
            next_landmark *= 2;
        }
        if (!HST_RESERVE(walk->fresh, walk->fresh_capacity, walk->fresh_count + 1))
            return HST_E_NOMEM;
        walk->fresh[walk->fresh_count++] = f;
        next = f.previous;
        uint32_t same =
            may_keep && walk->fresh_count > 1 && !is_mark(abi, &f) ? as_before(walk, &f) : HST_ID_NONE;
        if (same == HST_ID_NONE)
            continue;
        may_keep = unchanged_below(frames, walk, same, now_ns);
        if (may_keep) {
            *ret_kept = same;
            return HST_OK;
        }
    }
    if (walk->fresh_count == 0)
        return HST_OK;
    const struct hst_frame *root = &walk->fresh[walk->fresh_count - 1];
    /* To 3.11 nothing marks the root, and a frame just left looks like one: another root than before has to
     * be seen again. */
    int other = abi->minor <= 11 && walk->count > 0 && walk->entries[0].address != root->address;
    walk->other_roots = other ? walk->other_roots + 1 : 0;
    if (!is_root(walk, abi, root, next) || (other && walk->other_roots < OTHER_ROOTS_WANTED))
        return HST_E_TORN;
    return HST_OK;
}

/* Byte offset of the frame's instruction in its code; HST_E_TORN when it lies outside. */
static enum hst_status instruction_of(struct hst_frames *frames, const struct hst_frame *f,
                                      uint32_t code_index, uint32_t *ret_instruction)
{
    const struct hst_abi *abi = &frames->runtime->abi;
    const struct hst_code *code = frames->codes.codes[code_index];
    uint64_t offset = f->instruction;
    if (abi->minor >= 11) {
        hst_raddr bytecode = code->bytecode;
        if (f->tlbc_index > 0 && abi->code_tlbc != 0) { /* a copy of the bytecode for this thread */
            hst_raddr array;
            HST_TRY(hst_memory_read_u64(frames->runtime->memory, code->address + abi->code_tlbc, &array));
            HST_TRY(hst_memory_read_u64(frames->runtime->memory, array + 8 + (uint64_t)f->tlbc_index * 8,
                                        &bytecode));
        }
        offset -= bytecode;
        if (offset == (uint64_t)-2) /* 3.11, 3.12: "before the first instruction" */
            offset = 0;
    }
    if (offset >= code->bytecode_bytes)
        return HST_E_TORN;
    *ret_instruction = (uint32_t)offset & ~1u;
    return HST_OK;
}

/* Fills an entry from a frame; parent is the entry below it, or NULL. */
static enum hst_status resolve(struct hst_frames *frames, const struct hst_frame *f,
                               const struct hst_frame_entry *parent, uint64_t now_ns,
                               struct hst_frame_entry *entry)
{
    *entry = (struct hst_frame_entry){.address = f->address,
                                      .previous = f->previous,
                                      .code_address = f->code,
                                      .instruction = f->instruction,
                                      .code = HST_ID_NONE,
                                      .location = parent != NULL ? parent->location : HST_ID_NONE};
    if (is_mark(&frames->runtime->abi, f))
        return HST_OK;
    uint32_t code, instruction;
    HST_TRY(hst_code_find(&frames->codes, f->code, now_ns, &code));
    struct hst_code *record = frames->codes.codes[code];
    /* Another code object at the address belongs, nearly always, to another module: then it is looked at
     * anew. */
    uint64_t since = record->globals == f->globals ? now_ns - HST_CODE_TRUST_NS : now_ns;
    HST_TRY(hst_code_check(&frames->codes, code, since, now_ns));
    record->globals = f->globals;
    entry->seen_ns = now_ns;
    if (record->internal)
        return HST_OK;
    HST_TRY(instruction_of(frames, f, code, &instruction));
    entry->code = code;
    entry->location = hst_code_location(&frames->codes, code, instruction);
    return entry->location != HST_ID_NONE ? HST_OK : HST_E_NOMEM;
}

static int same_frame(const struct hst_frame *a, const struct hst_frame *b)
{
    return a->code == b->code && a->instruction == b->instruction && a->previous == b->previous &&
           a->executing && b->executing;
}

/* Where the thread keeps the address of the frame that runs. */
static hst_raddr current_frame_address(const struct hst_walk *walk)
{
    const struct hst_abi *abi = walk->view.abi;
    return abi->tstate_cframe != 0 ? walk->view.cframe + abi->cframe_current_frame
                                   : walk->view.tstate + abi->tstate_frame;
}

/* A frame that was left keeps its contents: the callee is alive only when the running frame is this one, or
 * the one that was running above it. */
static int is_alive(const struct hst_walk *walk, size_t callee, hst_raddr current)
{
    return current == walk->fresh[callee].address || (callee > 0 && current == walk->fresh[0].address);
}

/* Reads caller, running frame, marks between, callee, running frame, caller in one call: the edge is real
 * when the caller did not move meanwhile and the callee hung below it, alive before and after it was read.
 * callee and caller are indexes in fresh, with only marks between them. */
static int prove_by_reading(struct hst_frames *frames, const struct hst_walk *walk, size_t callee,
                            size_t caller)
{
    const struct hst_abi *abi = &frames->runtime->abi;
    uint32_t length = frame_bytes(abi);
    enum { PIECES_MAX = 10 };
    uint8_t bytes[PIECES_MAX][FRAME_BYTES_MAX];
    struct hst_piece pieces[PIECES_MAX];
    size_t between = caller - callee, count = 0;
    hst_raddr current[2];
    if (between + 4 > PIECES_MAX)
        return 0;
    pieces[count++] = (struct hst_piece){walk->fresh[caller].address, bytes[0], length};
    pieces[count++] = (struct hst_piece){current_frame_address(walk), &current[0], sizeof current[0]};
    for (size_t i = 1; i <= between; i++)
        pieces[count++] = (struct hst_piece){walk->fresh[caller - i].address, bytes[i], length};
    pieces[count++] = (struct hst_piece){current_frame_address(walk), &current[1], sizeof current[1]};
    pieces[count++] = (struct hst_piece){walk->fresh[caller].address, bytes[between + 1], length};
    frames->stats.proofs++;
    uint64_t begin = hst_now_ns();
    if (hst_memory_read_pieces(frames->runtime->memory, pieces, count) != HST_OK ||
        (!frames->runtime->memory->still && hst_now_ns() - begin > PROOF_NS) ||
        !is_alive(walk, callee, current[0]) || !is_alive(walk, callee, current[1]))
        return 0;
    struct hst_frame below = decode_frame(abi, walk->fresh[caller].address, bytes[0]);
    struct hst_frame after = decode_frame(abi, below.address, bytes[between + 1]);
    if (!same_frame(&below, &after) || below.code != walk->fresh[caller].code ||
        below.instruction != walk->fresh[caller].instruction)
        return 0;
    for (size_t i = 1; i <= between; i++) {
        struct hst_frame f = decode_frame(abi, walk->fresh[caller - i].address, bytes[i]);
        if (f.previous != below.address || f.code != walk->fresh[caller - i].code || !f.executing)
            return 0;
        below = f;
    }
    return 1;
}

/* Whether the call of callee by caller (indexes in fresh, caller's location given) is one that the program
 * makes.  An edge's value holds how often it was proved (low byte) and how often not: edges that never stand
 * the test are tried ever less. */
static int believe_edge(struct hst_frames *frames, struct hst_walk *walk, size_t callee, size_t caller,
                        uint32_t caller_location, uint32_t callee_code)
{
    uint64_t key = (uint64_t)caller_location << 32 | callee_code;
    uint32_t value = hst_map_find(&frames->edges, key);
    uint32_t proved = value != HST_MAP_ABSENT ? value & 0xff : 0;
    uint32_t failed = value != HST_MAP_ABSENT ? value >> 8 : 0;
    int believed = proved >= PROOFS_WANTED && failed <= proved * FAILURES_A_PROOF;
    if (!believed) {
        int worth_it = failed < PROOF_PATIENCE || failed % PROOF_PATIENCE == 0;
        for (int i = 0; i < PROOF_TRIES && worth_it && !believed; i++)
            believed = prove_by_reading(frames, walk, callee, caller);
        proved += believed && proved < 255 ? 1 : 0;
        failed += believed || failed > 1 << 20 ? 0 : 1;
        (void)hst_map_set(&frames->edges, key, failed << 8 | proved);
    }
    /* What is put on top of torn stacks has to be beyond doubt. */
    if (believed && proved >= PROOFS_WANTED && hst_map_find(&frames->sites, caller_location) != callee_code)
        (void)hst_map_set(&frames->sites, caller_location, callee_code);
    return believed;
}

/* Adds a real frame's stack to that of its parent. A program that never comes by the same way twice would
 * fill the memory: past STACKS_MAX, what is new counts for the stack below it. */
static enum hst_status set_stack(struct hst_frames *frames, const struct hst_frame_entry *parent,
                                 struct hst_frame_entry *entry)
{
    struct hst_profile *profile = frames->profile;
    entry->stack = parent != NULL ? parent->stack : 0;
    if (entry->code == HST_ID_NONE)
        return HST_OK;
    uint32_t stack = profile->stack_count < STACKS_MAX
                         ? hst_profile_stack(profile, entry->stack, entry->location)
                         : hst_profile_stack_find(profile, entry->stack, entry->location);
    if (stack != HST_ID_NONE)
        entry->stack = stack;
    return stack != HST_ID_NONE || profile->stack_count >= STACKS_MAX ? HST_OK : HST_E_NOMEM;
}

/* The copy is torn above the count entries that are believed: what the uppermost of them calls at this place,
 * if it calls anything there, goes on top. The frame itself was not read, so its entry has no address and is
 * never taken for one. */
static enum hst_status put_known_callee(struct hst_frames *frames, struct hst_walk *walk, size_t count)
{
    if (walk->whole_only)
        return HST_E_TORN;
    frames->stats.torn++;
    walk->count = count;
    while (count > 0 && walk->entries[count - 1].code == HST_ID_NONE)
        count--; /* marks */
    if (count == 0)
        return HST_E_TORN;
    uint32_t site = hst_map_find(&frames->sites, walk->entries[count - 1].location);
    if (site == HST_MAP_ABSENT || frames->codes.codes[site]->gone)
        return HST_OK;
    struct hst_frame_entry entry = {.code = site, .location = frames->codes.codes[site]->leaf_location};
    if (entry.location == HST_ID_NONE)
        entry.location = hst_code_location(&frames->codes, site, 0);
    if (entry.location == HST_ID_NONE)
        return HST_E_NOMEM;
    HST_TRY(set_stack(frames, &walk->entries[walk->count - 1], &entry));
    if (!HST_RESERVE(walk->entries, walk->capacity, walk->count + 1))
        return HST_E_NOMEM;
    walk->entries[walk->count++] = entry;
    return HST_OK;
}

/* Turns the fresh frames into entries above the kept ones, up to the first edge that is not believed. */
static enum hst_status believe(struct hst_frames *frames, struct hst_walk *walk, uint32_t kept,
                               uint64_t now_ns)
{
    size_t total = kept + walk->fresh_count;
    if (!HST_RESERVE(walk->entries, walk->capacity, total))
        return HST_E_NOMEM;
    walk->count = kept;                /* what lies above is rewritten; it counts again when it is believed */
    size_t caller = walk->fresh_count; /* index in fresh of the last real frame below; fresh_count = none */
    for (size_t i = walk->fresh_count; i > 0; i--) {
        size_t at = total - i;
        struct hst_frame_entry *parent = at > 0 ? &walk->entries[at - 1] : NULL;
        struct hst_frame_entry *entry = &walk->entries[at];
        enum hst_status status = resolve(frames, &walk->fresh[i - 1], parent, now_ns, entry);
        if (status == HST_OK && entry->code != HST_ID_NONE) {
            if (caller < walk->fresh_count &&
                !believe_edge(frames, walk, i - 1, caller, parent->location, entry->code))
                status = HST_E_TORN;
            caller = i - 1;
        }
        if (status == HST_E_TORN && at > 0)
            return put_known_callee(frames, walk, at);
        HST_TRY(status);
        HST_TRY(set_stack(frames, parent, entry));
        walk->recent[entry->address >> 3 & (RECENT - 1)] = (uint32_t)at + 1;
    }
    walk->count = total;
    if (walk->count > 0 && caller == 0)
        frames->codes.codes[walk->entries[total - 1].code]->leaf_location = walk->entries[total - 1].location;
    return HST_OK;
}

/* The chain from the leaf does not hold together: what of the last stack is still in the copy, from the root
 * up, to the first frame that has moved on, which is where the thread was when that part was copied. */
static enum hst_status rebuild(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns)
{
    const struct hst_abi *abi = &frames->runtime->abi;
    uint32_t length = frame_bytes(abi), kept = 0;
    walk->fresh_count = 0;
    for (; kept < walk->count && walk->entries[kept].address != 0; kept++) {
        const struct hst_frame_entry *e = &walk->entries[kept];
        const uint8_t *bytes = hst_stack_view_get(&walk->view, e->address, length);
        if (bytes == NULL)
            break;
        struct hst_frame f = decode_frame(abi, e->address, bytes);
        if (f.code != e->code_address || f.previous != e->previous || !f.executing)
            break;
        walk->fresh[0] = f;
        walk->fresh_count = 1;
        if (f.instruction != e->instruction)
            break;
    }
    if (walk->fresh_count == 0)
        return HST_E_TORN;
    size_t count =
        kept < walk->count && walk->fresh[0].address == walk->entries[kept].address ? kept : kept - 1;
    struct hst_frame_entry *entry = &walk->entries[count];
    enum hst_status status = resolve(frames, &walk->fresh[0], count > 0 ? entry - 1 : NULL, now_ns, entry);
    if (status == HST_OK)
        status = set_stack(frames, count > 0 ? entry - 1 : NULL, entry);
    if (status != HST_OK) {
        walk->count = count;
        return status;
    }
    return put_known_callee(frames, walk, count + 1);
}

static enum hst_status read_once(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns)
{
    uint32_t kept;
    HST_TRY(hst_stack_view_read(&walk->view));
    enum hst_status status = collect(frames, walk, now_ns, &kept);
    if (status == HST_E_TORN)
        return rebuild(frames, walk, now_ns);
    HST_TRY(status);
    return believe(frames, walk, kept, now_ns);
}

enum hst_status hst_walk_read(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns,
                              unsigned max_tries, uint32_t *ret_stack)
{
    walk->view.memory = frames->runtime->memory;
    walk->view.abi = &frames->runtime->abi;
    for (unsigned i = 0; i < max_tries; i++) {
        /* Who has the patience for many tries looks once, and wants the stack whole more than unbiased. */
        walk->whole_only = max_tries >= MANY_TRIES && i < max_tries / 4 * 3;
        enum hst_status status = read_once(frames, walk, now_ns);
        if (status == HST_OK) {
            frames->stats.stacks++;
            *ret_stack = walk->count > 0 ? walk->entries[walk->count - 1].stack : 0;
            return HST_OK;
        }
        if (status != HST_E_TORN)
            return status;
        frames->stats.torn++;
    }
    frames->stats.dropped++;
    return HST_E_TORN;
}
