/* Every object in a copy of a program's memory: address, type, and the bytes that it takes with the tables
 * that are its own.
 *
 * Small ones are the blocks of CPython's allocator whose words agree that they are objects, larger ones those
 * of the C library's; what a list, dict or set says is its table is none, whatever its words say.  Static
 * ones lie in the data of libraries: they are found by who refers to them. */
#ifndef HST_HEAP_CENSUS_H
#define HST_HEAP_CENSUS_H

#include "heap/chunks.h"
#include "heap/image.h"
#include "heap/pages.h"
#include "heap/pools.h"
#include "heap/types.h"

struct hst_object {
    hst_raddr address;
    uint64_t bytes;  /* its block with what stands before it, and its tables */
    uint32_t type;   /* index of the types */
    uint32_t length; /* from the address on, of its block */
};

/* Memory that an object owns and whose layout nobody told: a word of the object, or of another buffer of it,
 * names where it begins. */
struct hst_owned_buffer {
    uint32_t owner; /* object */
    hst_raddr address;
    uint64_t bytes;
};

/* What objects take, by where it lies; an object with all that stands before it, a table without its slack.
 */
enum hst_memory_place {
    HST_IN_POOLS,
    HST_IN_CHUNKS,
    HST_ELSEWHERE, /* in data of libraries, or memory of no known allocator */
    HST_MEMORY_PLACES
};
struct hst_bytes_held {
    uint64_t objects, tables, slack; /* slack: room in tables for what is not there */
};

/* Memory of mimalloc. */
struct hst_own_area {
    hst_raddr start, end;
    int in_use; /* it has a block that is, or says where blocks are */
};

/* What the lists of the collector say, by which the census is checked: each of their objects should be one
 * of it. */
struct hst_listed {
    size_t objects; /* that they name */
    size_t alone;   /* of those, that no block of a known allocator is: other C libraries than glibc */
    size_t unknown; /* that lie in a block, and are not taken for objects: what is missing */
};

struct hst_census {
    struct hst_image *image;
    const struct hst_abi *abi;
    const struct hst_chunks *chunks;
    struct hst_heap_types types;
    struct hst_pages pages;     /* with the ids */
    struct hst_object *objects; /* in order of address: the place is the id */
    size_t count, capacity;
    struct hst_owned_buffer *buffers; /* in order of owners */
    size_t buffer_count, buffer_capacity;
    struct hst_pool_sums pools;
    struct hst_own_area *areas; /* in order of address */
    size_t area_count, area_capacity;
    struct hst_bytes_held held[HST_MEMORY_PLACES];
    struct hst_listed listed;
    uint64_t *python_chunks; /* bit i % 64 of word i / 64: chunk i is an object's block or table */
};

/* Addresses outside the copy's objects where more are referred to: the interpreter's own state. */
struct hst_span {
    hst_raddr address;
    uint64_t bytes;
};

/* image, abi and chunks must outlive the census. HST_E_UNSUPPORTED: nothing was found. */
enum hst_status hst_census_take(struct hst_image *image, const struct hst_abi *abi,
                                const struct hst_chunks *chunks, const struct hst_span *spans,
                                size_t span_count, struct hst_census *ret_census) HST_MUST_CHECK;
void hst_census_release(struct hst_census *census);

#endif
