/* Copies of stack memory -> believed stacks.  The rules of belief stand in frames.h. */
#include "reader/frames.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "reader/stack_view.h"

enum {
    DEPTH_MAX = 1 << 20,
    EMPTY_READS_WANTED = 12,
    OTHER_ROOTS_WANTED = 3,
    ODD_ROOTS_WANTED = 16,
    MANY_TRIES = 64,
    STILL_COPIES = 3,
    CLIMB_BYTES_MAX = 1 << 14,
    CLIMB_STEPS_MAX = 8,
    STILL_DEPTH_MAX = 2000,
    STACKS_MAX = 1 << 20, /* about 50 MB of tables */
    RECENT = 2048,        /* direct-mapped address -> entry; a power of two */
};

/* To meet a thread at rest takes its CPU for some tens of microseconds: that often at the start, and later
 * for this part of the time. */
#define HELD_AT_START_NS 2000000u
#define HELD_PART 500u

struct hst_walk {
    int pid, tid;
    struct hst_stack_view view;
    struct hst_frame_entry *entries; /* of the last believed stack, root first */
    size_t count, capacity;
    struct hst_frame *fresh; /* of the copy in hand, leaf first: down to the first frame that is as before */
    size_t fresh_count, fresh_capacity;
    hst_raddr odd_root; /* the chain ended at a frame that does not look like the root ... */
    unsigned odd_roots; /* ... so often in a row */
    int still;          /* the thread stands still: what a copy shows is so */
    int unproved;       /* the last copy was cut at a call that is not known */
    int is_cut;         /* ... or anywhere */
    int is_whole;   /* the stack that was handed out last was not: later copies, to learn from, say nothing of
                       it */
    int whole_only; /* a stack that would have to be cut is read again instead */
    unsigned empty_reads;    /* in a row: no frame was running */
    uint32_t recent[RECENT]; /* entry index + 1 by address */
};

void hst_frames_init(struct hst_frames *frames, const struct hst_runtime *runtime,
                     struct hst_profile *profile)
{
    *frames = (struct hst_frames){.runtime = runtime, .profile = profile};
    hst_code_table_init(&frames->codes, runtime->memory, &runtime->abi, profile, runtime->code_type);
    hst_edge_table_init(&frames->edges, runtime->memory, &runtime->abi, &frames->codes);
}

void hst_frames_release(struct hst_frames *frames)
{
    hst_code_table_release(&frames->codes);
    hst_edge_table_release(&frames->edges);
}

enum hst_status hst_walk_new(hst_raddr tstate, int pid, int tid, struct hst_walk **ret_walk)
{
    struct hst_walk *walk = hst_alloc_zero(1, sizeof *walk);
    if (walk == NULL)
        return HST_E_NOMEM;
    walk->pid = pid;
    walk->tid = tid;
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

int hst_walk_is_whole(const struct hst_walk *walk) { return walk->is_whole; }

const struct hst_frame_entry *hst_walk_entries(const struct hst_walk *walk, size_t *ret_count)
{
    *ret_count = walk->count;
    return walk->entries;
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

/* Whether the frame is as it was. This is asked for every frame of every stack. */
static inline int is_unchanged(const struct hst_abi *abi, const struct hst_frame_entry *e,
                               const uint8_t *bytes)
{
    if (abi->minor >= 11)
        return hst_frame_untag(abi, hst_u64_at(bytes, abi->frame_code)) == e->code_address &&
               hst_u64_at(bytes, abi->frame_instruction) == e->instruction &&
               hst_u64_at(bytes, abi->frame_previous) == e->previous;
    struct hst_frame f = hst_frame_decode(abi, e->address, bytes);
    return f.code == e->code_address && f.instruction == e->instruction && f.previous == e->previous &&
           f.executing;
}

/* Whether all entries below index are in the copy as they were: then they are taken over. */
static int unchanged_below(struct hst_frames *frames, struct hst_walk *walk, uint32_t index, uint64_t now_ns)
{
    const struct hst_abi *abi = &frames->runtime->abi;
    uint32_t length = hst_frame_bytes(abi);
    for (uint32_t i = index; i > 0; i--) {
        struct hst_frame_entry *e = &walk->entries[i - 1];
        if (walk->entries[i].previous != e->address || !settle(frames, e, now_ns))
            return 0;
        if (e->mark) /* between two frames that have not moved: so it has not either, and it lies far away */
            continue;
        const uint8_t *bytes = hst_stack_view_get(&walk->view, e->address, length);
        if (bytes == NULL)
            return 0;
        if (!is_unchanged(abi, e, bytes))
            return 0;
    }
    return 1;
}

/* The last frame of the chain that is the program's own; NULL: all are marks. */
static const struct hst_frame *last_real(const struct hst_walk *walk, const struct hst_abi *abi)
{
    size_t i = walk->fresh_count;
    while (i > 0 && hst_frame_is_mark(abi, &walk->fresh[i - 1]))
        i--;
    return i > 0 ? &walk->fresh[i - 1] : NULL;
}

/* How often in a row the chain has to end with this frame before it is believed to be the thread's first.
 * A copy of two moments seems to end at a generator, whose link to its caller is cut when it yields, and at a
 * frame that was just left.  From 3.11 on the first frame lies where the data stack begins. */
static unsigned reads_wanted(struct hst_frames *frames, const struct hst_walk *walk,
                             const struct hst_frame *root, uint64_t now_ns)
{
    if (frames->runtime->memory->still)
        return 1;
    hst_raddr first = hst_stack_view_first_frame(&walk->view);
    if (first != 0)
        return root->address == first ? 1 : ODD_ROOTS_WANTED;
    uint32_t code;
    if (hst_code_find(&frames->codes, root->code, now_ns, &code) != HST_OK ||
        frames->codes.codes[code]->generator)
        return ODD_ROOTS_WANTED;
    return walk->count == 0 || walk->entries[0].address == root->address ? 1 : OTHER_ROOTS_WANTED;
}

/* Whether the chain in fresh, followed to its end, ends where the thread began. next: where its last frame
 * leads. */
static int ends_at_root(struct hst_frames *frames, struct hst_walk *walk, hst_raddr next, uint64_t now_ns)
{
    const struct hst_frame *root = last_real(walk, &frames->runtime->abi);
    if (root == NULL || next != walk->view.base_frame)
        return 0;
    walk->odd_roots = walk->odd_root == root->address ? walk->odd_roots + 1 : 1;
    walk->odd_root = root->address;
    return walk->odd_roots >= reads_wanted(frames, walk, root, now_ns);
}

/* Follows the chain from the leaf. *ret_kept = how many entries of the last stack stay, root first; the frame
 * above those is the last in fresh although it is as before, since its call edge has to be looked at. */
static enum hst_status collect(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns,
                               uint32_t *ret_kept)
{
    const struct hst_abi *abi = &frames->runtime->abi;
    uint32_t length = hst_frame_bytes(abi);
    int may_keep = !walk->still;
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
        struct hst_frame f = hst_frame_decode(abi, at, bytes);
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
        uint32_t same = may_keep && walk->fresh_count > 1 && !hst_frame_is_mark(abi, &f) ? as_before(walk, &f)
                                                                                         : HST_ID_NONE;
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
    return ends_at_root(frames, walk, next, now_ns) ? HST_OK : HST_E_TORN;
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
    entry->mark = (uint8_t)hst_frame_is_mark(&frames->runtime->abi, f);
    if (entry->mark)
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

/* Where the thread keeps the address of the frame that runs. */
static hst_raddr current_frame_address(const struct hst_walk *walk)
{
    const struct hst_abi *abi = walk->view.abi;
    return abi->tstate_cframe != 0 ? walk->view.cframe + abi->cframe_current_frame
                                   : walk->view.tstate + abi->tstate_frame;
}

/* Whether the program makes the call of callee by caller, indexes in fresh with only marks between them. */
static int believe_edge(struct hst_frames *frames, const struct hst_walk *walk, size_t callee, size_t caller,
                        const struct hst_frame_entry *parent, uint32_t callee_code)
{
    const struct hst_edge edge = {.frames = &walk->fresh[callee],
                                  .count = caller - callee + 1,
                                  .caller_code = parent->code,
                                  .callee_code = callee_code,
                                  .caller_location = parent->location,
                                  .current = current_frame_address(walk),
                                  .leaf = walk->fresh[0].address};
    if (walk->still) {
        hst_edge_learn(&frames->edges, &edge);
        return 1;
    }
    return hst_edge_believe(&frames->edges, &edge);
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

/* Adds an entry for a frame that was not read, or not alive: it has no address and is never taken for one.
 * HST_E_TORN: its code object is no more. */
static enum hst_status push_unread(struct hst_frames *frames, struct hst_walk *walk, uint32_t code,
                                   uint32_t location)
{
    struct hst_frame_entry entry = {.code = code, .location = location};
    if (frames->codes.codes[code]->gone)
        return HST_E_TORN;
    if (entry.location == HST_ID_NONE)
        entry.location = frames->codes.codes[code]->leaf_location;
    if (entry.location == HST_ID_NONE)
        entry.location = hst_code_location(&frames->codes, code, 0);
    if (entry.location == HST_ID_NONE)
        return HST_E_NOMEM;
    HST_TRY(set_stack(frames, &walk->entries[walk->count - 1], &entry));
    if (!HST_RESERVE(walk->entries, walk->capacity, walk->count + 1))
        return HST_E_NOMEM;
    walk->entries[walk->count++] = entry;
    return HST_OK;
}

/* What the uppermost entry calls at its place, if it calls anything there, goes on top. */
static enum hst_status put_known_callee(struct hst_frames *frames, struct hst_walk *walk)
{
    uint32_t site = hst_edge_callee_find(&frames->edges, walk->entries[walk->count - 1].location);
    enum hst_status status =
        site != HST_MAP_ABSENT ? push_unread(frames, walk, site, HST_ID_NONE) : HST_E_TORN;
    return status == HST_E_TORN ? HST_OK : status;
}

/* One step up from the uppermost entry to what it calls. location: where the callee is; HST_ID_NONE: not
 * known. HST_E_TORN: it is not known to call that. */
static enum hst_status step_up(struct hst_frames *frames, struct hst_walk *walk, uint32_t code,
                               uint32_t location)
{
    struct hst_frame_entry *caller = &walk->entries[walk->count - 1];
    if (hst_edge_is_known(&frames->edges, caller->location, code))
        return push_unread(frames, walk, code, location);
    /* The caller has gone on since: it was where it calls that, and the callee is not there any more. */
    uint32_t place = hst_edge_place_find(&frames->edges, caller->code, code);
    if (place == HST_MAP_ABSENT)
        return HST_E_TORN;
    caller->location = place;
    caller->address = 0;
    HST_TRY(set_stack(frames, walk->count > 1 ? caller - 1 : NULL, caller));
    return push_unread(frames, walk, code, HST_ID_NONE);
}

/* The code of the frame at an address of the copy; HST_ID_NONE: none that is known. */
static uint32_t code_at(struct hst_frames *frames, const struct hst_walk *walk, hst_raddr at,
                        struct hst_frame *ret_frame)
{
    const struct hst_abi *abi = &frames->runtime->abi;
    const uint8_t *bytes = hst_stack_view_peek(&walk->view, at, hst_frame_bytes(abi));
    if (bytes == NULL)
        return HST_ID_NONE;
    *ret_frame = hst_frame_decode(abi, at, bytes);
    uint32_t code = hst_code_known(&frames->codes, ret_frame->code);
    return code != HST_ID_NONE && !frames->codes.codes[code]->internal ? code : HST_ID_NONE;
}

/* From the uppermost entry up the data stack, where each frame lies right behind its caller. */
static enum hst_status climb_data_stack(struct hst_frames *frames, struct hst_walk *walk, hst_raddr at,
                                        hst_raddr top)
{
    for (; at <= top; at += frames->codes.codes[walk->entries[walk->count - 1].code]->frame_bytes) {
        struct hst_frame f;
        uint32_t code = code_at(frames, walk, at, &f), location = HST_ID_NONE, instruction;
        if (code == HST_ID_NONE)
            return HST_E_TORN;
        if (instruction_of(frames, &f, code, &instruction) == HST_OK)
            location = hst_code_location(&frames->codes, code, instruction);
        HST_TRY(step_up(frames, walk, code, location));
        if (at == top)
            return HST_OK;
    }
    return HST_E_TORN;
}

/* Frames of generators, and to 3.10 all frames, lie anywhere: from the running one downward by the calls that
 * were proved last, until the uppermost entry is met. */
static enum hst_status climb_calls(struct hst_frames *frames, struct hst_walk *walk, hst_raddr top)
{
    uint32_t codes[CLIMB_STEPS_MAX], wanted = walk->entries[walk->count - 1].code;
    size_t steps = 0;
    struct hst_frame f;
    for (uint32_t code = code_at(frames, walk, top, &f); code != wanted;
         code = hst_edge_caller_find(&frames->edges, code)) {
        if (code == HST_ID_NONE || steps == CLIMB_STEPS_MAX)
            return HST_E_TORN;
        codes[steps++] = code;
    }
    while (steps > 0)
        HST_TRY(step_up(frames, walk, codes[--steps], HST_ID_NONE));
    return HST_OK;
}

/* The running frame was noted first, and the thread went on while the stack was copied.  But a frame that was
 * left keeps its contents until the next call: between the uppermost entry and the running frame, what lies
 * there is what ran, as far as it is known to be called by what lies below.  HST_E_TORN: it was not reached.
 */
static enum hst_status climb(struct hst_frames *frames, struct hst_walk *walk)
{
    const struct hst_frame_entry *from = &walk->entries[walk->count - 1];
    const struct hst_code *code = frames->codes.codes[from->code];
    hst_raddr top = walk->view.top_frame, above = from->address + code->frame_bytes;
    if (from->address == 0 || from->address == top)
        return HST_E_TORN;
    enum hst_status status = HST_E_TORN;
    if (frames->runtime->abi.minor >= 11 && !code->generator && top >= above &&
        top - above <= CLIMB_BYTES_MAX)
        status = climb_data_stack(frames, walk, above, top);
    return status == HST_E_TORN ? climb_calls(frames, walk, top) : status;
}

/* The copy is torn above the count entries that are believed. */
static enum hst_status cut(struct hst_frames *frames, struct hst_walk *walk, size_t count)
{
    if (walk->whole_only)
        return HST_E_TORN;
    frames->stats.torn++;
    walk->is_cut = 1;
    while (count > 0 && walk->entries[count - 1].code == HST_ID_NONE)
        count--; /* marks */
    walk->count = count;
    if (count == 0)
        return HST_E_TORN;
    enum hst_status status = climb(frames, walk);
    return status == HST_E_TORN ? put_known_callee(frames, walk) : status;
}

/* Turns the fresh frames into entries above the kept ones, up to the first edge that is not believed. */
static enum hst_status believe(struct hst_frames *frames, struct hst_walk *walk, uint32_t kept,
                               uint64_t now_ns)
{
    size_t total = kept + walk->fresh_count;
    if (!HST_RESERVE(walk->entries, walk->capacity, total + 1) || walk->entries == NULL)
        return HST_E_NOMEM;
    walk->count = kept;                /* what lies above is rewritten; it counts again when it is believed */
    size_t caller = walk->fresh_count; /* index in fresh of the last real frame below; fresh_count = none */
    const struct hst_frame_entry *last = NULL; /* its entry */
    for (size_t i = walk->fresh_count; i > 0; i--) {
        size_t at = total - i;
        struct hst_frame_entry *parent = at > 0 ? &walk->entries[at - 1] : NULL;
        struct hst_frame_entry *entry = &walk->entries[at];
        enum hst_status status = resolve(frames, &walk->fresh[i - 1], parent, now_ns, entry);
        if (status == HST_OK && entry->code != HST_ID_NONE) {
            if (last != NULL && !believe_edge(frames, walk, i - 1, caller, last, entry->code)) {
                status = HST_E_TORN;
                walk->unproved = 1;
            }
            caller = i - 1;
            last = entry;
        }
        if (status == HST_E_TORN && at > 0)
            return cut(frames, walk, at);
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
    uint32_t length = hst_frame_bytes(abi), kept = 0;
    walk->fresh_count = 0;
    for (; kept < walk->count && walk->entries[kept].address != 0; kept++) {
        const struct hst_frame_entry *e = &walk->entries[kept];
        const uint8_t *bytes = hst_stack_view_get(&walk->view, e->address, length);
        if (bytes == NULL)
            break;
        struct hst_frame f = hst_frame_decode(abi, e->address, bytes);
        if (f.code != e->code_address || f.previous != e->previous || !f.executing)
            break;
        walk->fresh[0] = f;
        walk->fresh_count = 1;
        if (f.instruction != e->instruction)
            break;
    }
    if (walk->fresh_count == 0 || walk->entries == NULL)
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
    return cut(frames, walk, count + 1);
}

static enum hst_status read_once(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns)
{
    uint32_t kept;
    walk->unproved = walk->is_cut = 0;
    HST_TRY(hst_stack_view_read(&walk->view));
    enum hst_status status = collect(frames, walk, now_ns, &kept);
    if (status == HST_E_TORN)
        return rebuild(frames, walk, now_ns);
    HST_TRY(status);
    return believe(frames, walk, kept, now_ns);
}

/* A number that differs when a frame of the chain has moved. */
static uint64_t chain_hash(const struct hst_walk *walk)
{
    uint64_t hash = walk->fresh_count;
    for (size_t i = 0; i < walk->fresh_count; i++) {
        const struct hst_frame *f = &walk->fresh[i];
        hash = hst_mix64(hash ^ f->address) + f->code;
        hash = hst_mix64(hash ^ f->instruction) + f->previous;
    }
    return hash;
}

/* Several copies in a row show the same: the thread stands still, and the calls in it are calls that the
 * program makes. */
static enum hst_status read_still(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns)
{
    uint64_t hash = 0;
    uint32_t kept;
    walk->unproved = walk->is_cut = 0;
    for (int i = 0; i < STILL_COPIES; i++) {
        HST_TRY(hst_stack_view_read(&walk->view));
        HST_TRY(collect(frames, walk, now_ns, &kept));
        if (i > 0 && chain_hash(walk) != hash)
            return HST_E_TORN;
        hash = chain_hash(walk);
    }
    return believe(frames, walk, 0, now_ns);
}

static uint32_t hand_out(struct hst_frames *frames, struct hst_walk *walk)
{
    frames->stats.stacks++;
    walk->is_whole = !walk->is_cut;
    return walk->count > 0 ? walk->entries[walk->count - 1].stack : 0;
}

static void begin_read(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns)
{
    walk->view.memory = frames->runtime->memory;
    walk->view.abi = &frames->runtime->abi;
    if (frames->first_ns == 0)
        frames->first_ns = now_ns;
}

enum hst_status hst_walk_read_still(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns,
                                    uint32_t *ret_stack)
{
    begin_read(frames, walk, now_ns);
    walk->still = 1;
    enum hst_status status = read_still(frames, walk, now_ns);
    walk->still = 0;
    HST_TRY(status);
    *ret_stack = hand_out(frames, walk);
    return HST_OK;
}

/* The copy had to be cut at a call that is not known: meets the thread at rest and learns what it calls.
 * Functions that live for less than a read takes are met in no other way. */
static void meet_at_rest(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns)
{
    if (frames->place == NULL || walk->tid == 0 || walk->count > STILL_DEPTH_MAX ||
        frames->held_ns > HELD_AT_START_NS + (now_ns - frames->first_ns) / HELD_PART)
        return;
    uint64_t begin = hst_now_ns();
    enum hst_status status = hst_place_join(frames->place, walk->pid, walk->tid);
    if (status == HST_E_PERM)
        frames->place =
            NULL; /* not allowed there, and asking again costs time (a thread may also have ended) */
    if (status != HST_OK)
        return;
    walk->still = 1;
    (void)!read_still(frames, walk, now_ns);
    walk->still = 0;
    hst_place_leave(frames->place);
    frames->held_ns += hst_now_ns() - begin;
}

enum hst_status hst_walk_read(struct hst_frames *frames, struct hst_walk *walk, uint64_t now_ns,
                              unsigned max_tries, uint32_t *ret_stack)
{
    begin_read(frames, walk, now_ns);
    for (unsigned i = 0; i < max_tries; i++) {
        /* Who has the patience for many tries looks once, and wants the stack whole more than unbiased. */
        walk->whole_only = max_tries >= MANY_TRIES && i < max_tries / 4 * 3;
        enum hst_status status = read_once(frames, walk, now_ns);
        if (status == HST_OK) {
            if (walk->count > 0 && walk->entries[0].address != walk->odd_root)
                walk->odd_roots = 0;
            *ret_stack = hand_out(frames, walk);
            if (walk->unproved)
                meet_at_rest(frames, walk, now_ns);
            return HST_OK;
        }
        if (status != HST_E_TORN)
            return status;
        frames->stats.torn++;
    }
    frames->stats.dropped++;
    return HST_E_TORN;
}
