/* What counters of a program and `hasten count` outside share: one file a process, mapped by the agent, so
 * that the values are whole at any moment whatever ends the program.
 *
 *   folder   HASTEN_COUNTERS, else /dev/shm/hasten-counters-UID; its owner's alone
 *   name     PID-START.N.counters: START is the process' start in ticks since boot, N 0, 1, ... (exec)
 *            SERVICE.totals: what the dead processes of a service counted, of the same layout
 *   content  slots of 64 bytes.  Slots 0 to 63 are the header; then come series, each from a slot of its own:
 *            its head (one slot), its texts (name, labels, help, unit, one after the other without ends), and
 *            from slot head + data on its cell.  used_slots grows only after a series is filled in.
 *
 * All numbers are little-endian.  The agent only ever adds series; it changes the cells without telling.  A
 * reader may look at any moment, and must not believe what it reads: values that belong together (a count and
 * its sum) may be of moments some nanoseconds apart. */
#ifndef HST_EVENT_COUNTER_MAP_H
#define HST_EVENT_COUNTER_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HST_COUNTER_MAGIC "hst-cnt2"
#define HST_COUNTER_VARIABLE "HASTEN_COUNTERS"
#define HST_COUNTER_FOLDER "/dev/shm/hasten-counters-" /* and the user's number */
#define HST_COUNTER_ENDING ".counters"
#define HST_COUNTER_TOTALS_ENDING ".totals"
#define HST_COUNTER_LOCK "lock" /* a file that is locked (flock) by who folds, and shared by who reads */
#define HST_COUNTER_SLOT_BYTES 64u
#define HST_COUNTER_HEADER_SLOTS 64u
#define HST_COUNTER_HEADER_BYTES (HST_COUNTER_HEADER_SLOTS * HST_COUNTER_SLOT_BYTES)
#define HST_COUNTER_FILE_BYTES_MAX (UINT64_C(16) << 30)
#define HST_COUNTER_NAME_BYTES_MAX 255u
#define HST_COUNTER_LABELS_BYTES_MAX 4096u
#define HST_COUNTER_TEXT_BYTES_MAX 1024u
#define HST_COUNTER_SERVICE_BYTES 128u
#define HST_COUNTER_FOLDED_MAX 64u

/* Who a process is, for ever. */
struct hst_counter_owner {
    uint32_t pid, number; /* N of the name */
    uint64_t start_ticks; /* 0: could not be told */
    uint64_t pid_space;   /* number of the pid namespace; 0: could not be told */
};

struct hst_counter_header {
    char magic[8];
    struct hst_counter_owner owner; /* of totals: zeros */
    uint64_t used_slots;
    uint64_t lost;          /* values that found no memory */
    uint64_t start_wall_ns; /* since 1970: when the file was made */
    uint32_t folded_count;  /* of totals: whose files went in last; they may be there still */
    uint32_t reserved;
    char service[HST_COUNTER_SERVICE_BYTES]; /* ends with 0 */
    char command[512];                       /* ends with 0 */
    struct hst_counter_owner folded[HST_COUNTER_FOLDED_MAX];
};

enum hst_counter_kind {
    HST_COUNTER_NONE = 0,
    HST_COUNTER_COUNTER = 1, /* number cell; only grows */
    HST_COUNTER_TOTAL = 2,   /* number cell; a sum of anything */
    HST_COUNTER_GAUGE = 3,   /* number cell: part is the value; how it is now */
    HST_COUNTER_FREQUENCY = 4,
    HST_COUNTER_AVERAGE = 5, /* window cells from here */
    HST_COUNTER_MIN = 6,
    HST_COUNTER_MAX = 7,
    HST_COUNTER_WINDOW = 8,
    HST_COUNTER_HISTOGRAM = 9,
    HST_COUNTER_ROOM = 10, /* no series: what lies behind its head is for the octaves of histograms */
    HST_COUNTER_KIND_COUNT
};

/* The first slot of a series. */
struct hst_counter_series {
    uint32_t slots; /* all of it */
    uint32_t data;  /* slot of the cell, from this one */
    uint16_t kind;
    uint16_t name_bytes;
    uint16_t labels_bytes; /* key, 0, value, 0 and so on, in the order of the keys */
    uint16_t help_bytes, unit_bytes;
    uint16_t reserved0;
    uint32_t reserved[11];
};

/* value = whole + part: whole numbers are added to one, others to the other, so that neither rounds the
 * other.
 */
struct hst_counter_number {
    int64_t whole;
    double part;
    uint64_t reserved[6];
};

/* A window of time is a ring of buckets, each HST_COUNTER_BUCKETS_OF_WINDOW-th of it long: bucket e, the time
 * from e * width_ns on of CLOCK_MONOTONIC, lies at e % HST_COUNTER_BUCKETS.  What is in the window now are
 * the buckets of the last HST_COUNTER_BUCKETS_OF_WINDOW epochs and the one that has begun. */
#define HST_COUNTER_BUCKETS 64u
#define HST_COUNTER_BUCKETS_OF_WINDOW 60u
struct hst_counter_bucket {
    uint64_t epoch;
    uint64_t count;
    double sum, min, max;
};
struct hst_counter_window {
    uint64_t width_ns;
    uint64_t count; /* since the start */
    double sum;
    uint32_t lock; /* the agent's own, where there is no interpreter lock */
    uint32_t reserved0;
    uint64_t first_ns; /* of CLOCK_MONOTONIC: when the series was made */
    uint64_t reserved[3];
    struct hst_counter_bucket buckets[HST_COUNTER_BUCKETS];
};

/* A log-linear histogram: value v (above 0) falls into octave floor(log2(v)) + HST_COUNTER_OCTAVE_ZERO and in
 * it into one of 64 parts of equal width, so that a bucket is at most 1/64 = 1.6 % wide and its middle at
 * most 0.8 % wrong.  2^-32 (0.23 ns in seconds) to 2^32.  In the double's own bits the octave is the exponent
 * and the part the first 6 bits behind it.
 *
 * Few octaves of a histogram are ever used, and few parts of one: an octave gets its slots, anywhere in the
 * file, with the first value in it, and who reads need only look at the slots that something is in. */
#define HST_COUNTER_OCTAVES 64
#define HST_COUNTER_OCTAVE_PARTS 64
#define HST_COUNTER_OCTAVE_ZERO 32
#define HST_COUNTER_HISTOGRAM_BUCKETS (HST_COUNTER_OCTAVES * HST_COUNTER_OCTAVE_PARTS)
#define HST_COUNTER_SLOT_PARTS 8
#define HST_COUNTER_OCTAVE_SLOTS 8
#define HST_COUNTER_ROOM_SLOTS (1 + 32 * HST_COUNTER_OCTAVE_SLOTS)
struct hst_counter_histogram {
    uint64_t octaves; /* bit i: something was counted in octave i (others need not be read) */
    double sum;
    double min, max;     /* of nothing: +inf, -inf */
    uint64_t low, above; /* outside the buckets: 0, below 0 and too small; too large */
    uint64_t invalid;    /* not a number: counted here only */
    uint64_t reserved;
    /* Of each octave: in the lower half, signed, where its counts are, in slots from this cell on; in the
     * upper half a bit for each of these slots that has a value. */
    uint64_t places[HST_COUNTER_OCTAVES];
};

_Static_assert(sizeof(struct hst_counter_header) <= HST_COUNTER_HEADER_BYTES, "the header's slots");
_Static_assert(sizeof(struct hst_counter_series) == HST_COUNTER_SLOT_BYTES, "one slot");
_Static_assert(sizeof(struct hst_counter_number) == HST_COUNTER_SLOT_BYTES, "one slot");
_Static_assert(sizeof(struct hst_counter_window) % HST_COUNTER_SLOT_BYTES == 0, "whole slots");
_Static_assert(sizeof(struct hst_counter_histogram) % HST_COUNTER_SLOT_BYTES == 0, "whole slots");

static inline uint32_t hst_counter_cell_bytes(uint32_t kind)
{
    if (kind == HST_COUNTER_HISTOGRAM)
        return sizeof(struct hst_counter_histogram);
    if (kind >= HST_COUNTER_FREQUENCY && kind <= HST_COUNTER_WINDOW)
        return sizeof(struct hst_counter_window);
    return sizeof(struct hst_counter_number);
}

/* The bucket of a value; -1: low, -2: above, -3: not a number. */
static inline int hst_counter_bucket_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int64_t index =
        (int64_t)(bits >> 46) - (INT64_C(1023) - HST_COUNTER_OCTAVE_ZERO) * HST_COUNTER_OCTAVE_PARTS;
    if (__builtin_expect((uint64_t)index < HST_COUNTER_HISTOGRAM_BUCKETS, 1))
        return (int)index;
    if (value != value)
        return -3;
    return value > 1 ? -2 : -1;
}
static inline int64_t hst_counter_place_slot(uint64_t place) { return (int32_t)(uint32_t)place; }
/* The bit of the slot that a bucket's count is in. */
static inline uint64_t hst_counter_place_bit(int bucket)
{
    return UINT64_C(1) << (32 + (unsigned)bucket % HST_COUNTER_OCTAVE_PARTS / HST_COUNTER_SLOT_PARTS);
}
/* Counts of an octave that has a place, which must be believed. */
static inline uint64_t *hst_counter_octave(const struct hst_counter_histogram *histogram, uint64_t place)
{
    return (uint64_t *)((uintptr_t)histogram +
                        (uintptr_t)(hst_counter_place_slot(place) * (int64_t)HST_COUNTER_SLOT_BYTES));
}
/* Where bucket index begins; that of index + 1 is where it ends. */
static inline double hst_counter_bucket_begin(int index)
{
    uint64_t bits = ((uint64_t)index + (UINT64_C(1023) - HST_COUNTER_OCTAVE_ZERO) * HST_COUNTER_OCTAVE_PARTS)
                    << 46;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
