/* The target's own _Py_DebugOffsets -> struct hst_abi.  It is an array of 64-bit numbers behind an 8-byte
 * cookie; which number is which is listed here once for each version that changed it
 * (Include/internal/pycore_debug_offsets.h). The numbers come from another process and are believed only when
 * all of them fit their structures. */
#include "pyabi/abi.h"

#include <string.h>

#include "base/memory.h"

/* One entry of the array: the member it fills, or one of the marks below. */
#define F(name) ((uint16_t)(offsetof(struct hst_abi, name) / sizeof(uint32_t)))
enum { SKIP = 1000, GC_BASE, GC_COLLECTING, GC_FRAME, GIL_BASE, GIL_LOCKED, GIL_HOLDER };

#define INTERP_HEAD                                                                                          \
    F(runtime_size), SKIP, F(runtime_interpreters_head), F(interp_size), F(interp_id), F(interp_next),       \
        F(interp_threads_head)
#define INTERP_REST                                                                                          \
    GC_BASE, F(interp_modules), SKIP, SKIP, F(interp_gil_pointer), GIL_BASE, SKIP, GIL_LOCKED, GIL_HOLDER
#define TSTATE_HEAD F(tstate_size), SKIP, F(tstate_next), F(tstate_interp), F(tstate_frame)
#define TSTATE_REST F(tstate_thread_id), F(tstate_native_thread_id), F(tstate_datastack_chunk), SKIP
#define FRAME                                                                                                \
    SKIP, F(frame_previous), F(frame_code), F(frame_instruction), F(frame_localsplus), F(frame_owner)
#define CODE                                                                                                 \
    F(code_size), F(code_filename), F(code_name), F(code_qualname), F(code_linetable), F(code_first_line),   \
        F(code_argcount), F(code_localsplusnames), F(code_localspluskinds), F(code_bytecode)
#define TYPE SKIP, F(type_name), SKIP, F(type_flags)
#define CONTAINERS SKIP, F(tuple_items), F(var_size), SKIP, F(list_items), SKIP
#define SETS SKIP, F(set_used), F(set_table), F(set_mask)
#define SCALARS                                                                                              \
    SKIP, F(dict_keys), F(dict_values), SKIP, F(float_value), SKIP, F(long_tag), F(long_digits), SKIP, SKIP, \
        F(bytes_data), SKIP, F(str_state), F(str_length), F(str_ascii_data)

static const uint16_t order_3_13[] = {
    INTERP_HEAD,    INTERP_REST, TSTATE_HEAD, TSTATE_REST, FRAME, CODE,          F(object_size),
    F(object_type), TYPE,        CONTAINERS,  SCALARS,     SKIP,  GC_COLLECTING,
};
static const uint16_t order_3_14[] = {
    INTERP_HEAD,
    SKIP,
    INTERP_REST,
    F(interp_code_generation),
    SKIP,
    TSTATE_HEAD,
    TSTATE_REST,
    FRAME,
    F(frame_stack_top),
    F(frame_tlbc_index),
    CODE,
    F(code_tlbc),
    F(object_size),
    F(object_type),
    TYPE,
    CONTAINERS,
    SETS,
    SCALARS,
    SKIP,
    GC_COLLECTING,
    SKIP,
    SKIP,
    F(gen_frame),
};
static const uint16_t order_3_15[] = {
    INTERP_HEAD,
    SKIP,
    INTERP_REST,
    F(interp_code_generation),
    SKIP,
    TSTATE_HEAD,
    F(tstate_base_frame),
    SKIP,
    SKIP,
    TSTATE_REST,
    SKIP,
    SKIP,
    SKIP,
    SKIP,
    SKIP,
    FRAME,
    F(frame_stack_top),
    F(frame_tlbc_index),
    CODE,
    F(code_tlbc),
    F(object_size),
    F(object_type),
    TYPE,
    F(type_basicsize),
    F(type_dictoffset),
    SKIP,
    F(heaptype_cached_keys),
    CONTAINERS,
    SETS,
    SCALARS,
    F(str_compact_data),
    SKIP,
    GC_COLLECTING,
    GC_FRAME,
    SKIP,
    SKIP,
    SKIP,
    SKIP,
    F(gen_frame),
};

/* A member must lie inside the structure whose size is another member; sizes have bounds of their own. Those
 * of a frame's and a code object's fixed part are what the reader has room for. */
struct bound {
    const char *what;
    uint16_t first, last; /* members, in the order of HST_ABI_FIELDS */
    uint16_t size;
    uint32_t largest;
};
static const struct bound bounds[] = {
    {"_PyRuntimeState", F(runtime_interpreters_head), F(runtime_gc_collecting), F(runtime_size), 64 << 20},
    {"PyInterpreterState", F(interp_next), F(interp_code_generation), F(interp_size), 64 << 20},
    {"PyThreadState", F(tstate_next), F(tstate_base_frame), F(tstate_size), 1 << 16},
    {"_PyInterpreterFrame", F(frame_previous), F(frame_executing), F(frame_localsplus),
     HST_ABI_HEAD_BYTES_MAX},
    {"_PyInterpreterFrame", F(frame_tlbc_index), F(frame_tlbc_index), F(frame_localsplus),
     HST_ABI_HEAD_BYTES_MAX},
    {"PyCodeObject", F(code_filename), F(code_freevars), F(code_bytecode), HST_ABI_HEAD_BYTES_MAX},
    {"PyCodeObject", F(code_localspluskinds), F(code_localspluskinds), F(code_bytecode),
     HST_ABI_HEAD_BYTES_MAX},
    {"PyCodeObject", F(code_tlbc), F(code_tlbc), F(code_bytecode), HST_ABI_HEAD_BYTES_MAX},
    {"PyCodeObject", F(object_type), F(object_type), F(code_bytecode), HST_ABI_HEAD_BYTES_MAX},
    {"PyCodeObject", F(var_size), F(var_size), F(code_bytecode), HST_ABI_HEAD_BYTES_MAX},
};

/* Bytes of a member: most are pointers or numbers of that size. */
static uint32_t width(uint16_t index)
{
    switch (index) {
    case F(frame_owner):
        return 1;
    case F(frame_tlbc_index):
    case F(code_first_line):
    case F(code_argcount):
    case F(code_flags):
    case F(code_nlocalsplus):
    case F(code_stacksize):
    case F(code_framesize):
        return 4;
    default:
        return 8;
    }
}

static uint32_t member(const struct hst_abi *abi, uint16_t index)
{
    uint32_t value;
    memcpy(&value, (const char *)abi + index * sizeof value, sizeof value);
    return value;
}

static enum hst_status validate(const struct hst_abi *abi, struct hst_error *err)
{
    for (size_t i = 0; i < HST_ARRAY_LENGTH(bounds); i++) {
        const struct bound *b = &bounds[i];
        uint32_t size = member(abi, b->size);
        if (size == 0 || size > b->largest)
            return hst_error_set(err, HST_E_INVALID, "the size of %s, %u bytes, cannot be right", b->what,
                                 size);
        for (uint16_t m = b->first; m <= b->last; m++)
            if ((uint64_t)member(abi, m) + width(m) > size + (m == F(tstate_base_frame) ? 1u << 16 : 0))
                return hst_error_set(err, HST_E_INVALID, "an offset in %s, %u, lies outside of its %u bytes",
                                     b->what, member(abi, m), size);
    }
    uint32_t chunk = abi->tstate_datastack_chunk, frame = abi->tstate_frame, base = abi->tstate_base_frame;
    uint32_t low = frame < chunk ? frame : chunk, high = frame < chunk ? chunk : frame;
    if (base != 0) {
        low = base < low ? base : low;
        high = base > high ? base : high;
    }
    if (high - low > HST_ABI_TSTATE_SPAN_MAX)
        return hst_error_set(err, HST_E_INVALID, "the stack's fields of PyThreadState are %u bytes apart",
                             high - low);
    uint16_t small_first = F(gen_frame);
    for (uint16_t m = small_first; m <= F(set_mask); m++)
        if (member(abi, m) > 4096)
            return hst_error_set(err, HST_E_INVALID, "an offset of a basic object, %u, cannot be right",
                                 member(abi, m));
    return HST_OK;
}

/* Puts the numbers in their members; the lock's and the collector's offsets are given in two parts. */
static enum hst_status fill(struct hst_abi *abi, const uint16_t *order, size_t count, const uint8_t *at,
                            struct hst_error *err)
{
    uint64_t gc = 0, gil = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, at + i * sizeof value, sizeof value);
        if (order[i] == SKIP)
            continue;
        if (value > UINT32_MAX / 2)
            return hst_error_set(err, HST_E_INVALID,
                                 "entry %zu of the debug offsets, %#llx, cannot be an offset", i,
                                 (unsigned long long)value);
        uint32_t number = (uint32_t)value;
        switch (order[i]) {
        case GC_BASE:
            gc = value;
            break;
        case GC_COLLECTING:
            abi->interp_gc_collecting = (uint32_t)(gc + value);
            break;
        case GC_FRAME:
            abi->interp_gc_frame = (uint32_t)(gc + value);
            break;
        case GIL_BASE:
            gil = value;
            break;
        case GIL_LOCKED:
            abi->gil_locked = number - (uint32_t)gil;
            break;
        case GIL_HOLDER:
            abi->gil_holder = number - (uint32_t)gil;
            break;
        default:
            memcpy((char *)abi + order[i] * sizeof number, &number, sizeof number);
        }
    }
    abi->frame_size = abi->frame_localsplus;
    if (abi->gil_locked > 256 || abi->gil_holder > 256)
        return hst_error_set(err, HST_E_INVALID, "the offsets of the interpreter lock cannot be right");
    return HST_OK;
}

enum hst_status hst_abi_from_debug_offsets(const uint8_t *bytes, size_t length, struct hst_abi *ret_abi,
                                           struct hst_error *err)
{
    static const struct {
        const uint16_t *order;
        size_t count;
    } orders[] = {
        {order_3_13, HST_ARRAY_LENGTH(order_3_13)},
        {order_3_14, HST_ARRAY_LENGTH(order_3_14)},
        {order_3_15, HST_ARRAY_LENGTH(order_3_15)},
    };
    uint64_t head[2];
    if (length < 24 || memcmp(bytes, HST_DEBUG_OFFSETS_COOKIE, 8) != 0)
        return hst_error_set(err, HST_E_UNSUPPORTED, "no debug offsets at the start of _PyRuntime");
    memcpy(head, bytes + 8, sizeof head);
    unsigned minor = (unsigned)(head[0] >> 16) & 0xff;
    if (head[0] >> 24 != 3 || minor < 13 || head[1] > 1)
        return hst_error_set(err, HST_E_INVALID,
                             "debug offsets of version %#llx, which is not a CPython 3.13 or later",
                             (unsigned long long)head[0]);
    unsigned known = minor <= HST_ABI_NEWEST_MINOR ? minor : HST_ABI_NEWEST_MINOR;
    size_t count = orders[known - 13].count;
    if (length < 24 + count * 8)
        return hst_error_set(err, HST_E_INVALID, "debug offsets of %zu bytes, at least %zu are needed",
                             length, 24 + count * 8);
    struct hst_abi abi = *hst_abi_find(known, (int)head[1]);
    abi.minor = (uint8_t)minor;
    HST_TRY(fill(&abi, orders[known - 13].order, count, bytes + 24, err));
    /* What the table does not name stands at a fixed distance from what it does. */
    const struct hst_abi *table = hst_abi_find(known, (int)head[1]);
    abi.code_framesize = abi.code_first_line + (table->code_framesize - table->code_first_line);
    abi.code_nlocalsplus = abi.code_first_line + (table->code_nlocalsplus - table->code_first_line);
    abi.code_stacksize = abi.code_first_line - (table->code_first_line - table->code_stacksize);
    abi.code_flags = abi.code_argcount - (table->code_argcount - table->code_flags);
    abi.frame_function = abi.frame_previous + (table->frame_function - table->frame_previous);
    HST_TRY(validate(&abi, err));
    *ret_abi = abi;
    return HST_OK;
}
