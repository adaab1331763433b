/* All objects of a program at one moment: columns by id, references as compressed edges, and what is needed
 * to name them.  An id is a place in the order of addresses.  The producer fills it (heap/), the store keeps
 * it, every question about it is asked in analyze/. */
#ifndef HST_MODEL_HEAP_H
#define HST_MODEL_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "model/strings.h"

#define HST_HEAP_NONE UINT32_MAX                     /* no object, no type */
#define HST_HEAP_OBJECTS_MAX 0xfffffff0u             /* ids are 32 bits */
#define HST_HEAP_REFERENCES_MAX UINT64_C(0xfffffff0) /* so are places in the list of edges */

/* Where in its holder a reference stands: a kind, and an index of that kind. */
enum hst_place_kind {
    HST_PLACE_ITEM = 0,  /* of a list, tuple or set: the index in it */
    HST_PLACE_KEY = 1,   /* of a dict: the number of the entry */
    HST_PLACE_VALUE = 2, /* of a dict: the number of the entry; its key is the edge before, if it has the same
                            number (keys that are no known objects have no edge) */
    HST_PLACE_ATTRIBUTE = 3, /* of an instance: the index in its type's attributes (hst_heap_name) */
    HST_PLACE_FIELD = 4, /* a word of the object: (offset from the object's address) / 8; may have a name */
    HST_PLACE_VARIABLE = 5, /* of a frame or generator: the index in its code's variables */
    HST_PLACE_BUFFER = 6,   /* a word of memory that the object owns, found by looking at every word of it */
};
typedef uint32_t hst_place;                   /* index << 3 | kind */
#define HST_PLACE_INDEX_MAX (UINT32_MAX >> 3) /* larger indexes are kept as this */
static inline hst_place hst_place_of(enum hst_place_kind kind, uint64_t index)
{
    return (uint32_t)(index < HST_PLACE_INDEX_MAX ? index : HST_PLACE_INDEX_MAX) << 3 | (uint32_t)kind;
}
static inline enum hst_place_kind hst_place_kind_of(hst_place place)
{
    return (enum hst_place_kind)(place & 7);
}
static inline uint32_t hst_place_index_of(hst_place place) { return place >> 3; }

/* A name of a place of kind ATTRIBUTE or FIELD in all objects of a type. */
struct hst_heap_name {
    uint32_t type;
    hst_place place;
    uint32_t text; /* strings */
};

struct hst_heap_type {
    uint32_t name;   /* strings: module.Class */
    uint32_t object; /* the type as an object; HST_HEAP_NONE: it is not among them */
    uint64_t address;
    uint64_t flags; /* tp_flags (reader/type_flags.h) */
    uint32_t basic_size, item_size;
    uint32_t pre_bytes;    /* before every object of it: the collector's words, attributes, weak references */
    uint32_t conservative; /* 1: its objects' references were found by looking at every word of them */
};

/* What keeps objects alive that no object holds. */
enum hst_root_kind {
    HST_ROOT_MODULE = 0,      /* sys.modules */
    HST_ROOT_FRAME = 1,       /* a variable of a running frame; the name says which */
    HST_ROOT_INTERPRETER = 2, /* builtins, codecs, the state of the interpreter */
    HST_ROOT_STATIC = 3,      /* it lies in the data of the interpreter or a library, or never dies */
    HST_ROOT_NATIVE = 4,      /* more references than objects hold: C code has the rest (number) */
};
struct hst_heap_root {
    uint32_t object;
    uint32_t kind;
    uint32_t number; /* of references that the root holds; 1 where that is not counted */
    uint32_t name;   /* strings; 0: none */
};

/* What the memory of the process is made of; resident bytes. */
enum hst_part_kind {
    HST_PART_OBJECTS = 0, /* their own blocks */
    HST_PART_TABLES =
        1, /* what lists, dicts, sets and buffers hold outside their block, as far as it is used */
    HST_PART_SLACK = 2,       /* the rest of these tables: room for items that are not there */
    HST_PART_FREE = 3,        /* free blocks in pools that are in use */
    HST_PART_UNUSED = 4,      /* pools and arenas without a block in use */
    HST_PART_OVERHEAD = 5,    /* heads of pools and of blocks, alignment */
    HST_PART_NATIVE = 6,      /* memory of C code; the name says whose: a library, or "" */
    HST_PART_NATIVE_FREE = 7, /* what the C allocator keeps free */
    HST_PART_STACK = 8,
    HST_PART_FILE = 9,    /* pages of files: programs, libraries, mapped data; the name says which */
    HST_PART_SHARED = 10, /* memory shared with other processes */
    HST_PART_OTHER = 11,  /* not explained */
};
struct hst_heap_part {
    uint32_t kind;
    uint32_t name; /* strings */
    uint64_t bytes;
};

/* What was found in the memory itself and cannot be seen in the columns. */
enum hst_finding_kind {
    HST_FINDING_DUPLICATE = 0,    /* equal objects: number of them, bytes that one of them would save; text */
    HST_FINDING_LIST_SLACK = 1,   /* lists with room for items that are not there */
    HST_FINDING_DICT_SPARSE = 2,  /* dicts and sets whose table is larger than what they hold needs */
    HST_FINDING_MATERIALISED = 3, /* instances whose attributes became a dict */
    HST_FINDING_SLOTS = 4,        /* what __slots__ would save */
    HST_FINDING_ARRAY = 5,        /* lists of numbers alone: what an array would save */
    HST_FINDING_INTERN = 6,       /* equal strings that interning would make one */
    HST_FINDING_FREEZE = 7, /* pages that a collection after a fork copies: what gc.freeze() saves a child */
};
struct hst_heap_finding {
    uint32_t kind;
    uint32_t type;
    uint32_t example; /* an object; HST_HEAP_NONE: none is named */
    uint32_t text;    /* strings: the value, for a duplicate */
    uint64_t objects, bytes;
};

/* Short texts of strings, bytes and numbers: ids in order, each with the end of its text in data. */
struct hst_heap_values {
    uint32_t *objects;
    uint64_t *ends;
    uint8_t *data; /* UTF-8, not terminated; at most HST_HEAP_VALUE_BYTES a value: then it was cut */
    size_t count, capacity, end_capacity, data_capacity;
};
#define HST_HEAP_VALUE_BYTES 64u

/* What it cost the program, beside standing still, that its memory was read while it went on: in a
 * copy-on-write child, or beforehand. */
struct hst_heap_cost {
    uint64_t faults, stolen_ns; /* page faults meanwhile, and about how long they took */
    int reaped;                 /* of a child; 0: it is still a zombie of the program */
    uint64_t reap_pause_ns;     /* for which a thread stood still when the child was taken away */
};

enum hst_heap_way {
    HST_HEAP_STOPPED = 0,
    HST_HEAP_FORKED = 1,
    HST_HEAP_LIVE = 2,
    HST_HEAP_CORE = 3,
    HST_HEAP_IMPORTED = 4,  /* read from the dump of another tool */
    HST_HEAP_PRECOPIED = 5, /* copied while it went on, and what it wrote meanwhile when it stood still */
};

struct hst_heap {
    /* the process */
    int pid;
    char *command;
    char interpreter[64];
    uint64_t wall_ns; /* when it was taken, since 1970-01-01 UTC; 0: not known */
    enum hst_heap_way way;
    struct hst_heap_cost cost; /* forked or precopied */
    uint64_t pause_ns;         /* for which the program stood still */
    uint64_t copied_bytes;     /* memory of its own that it had */
    uint64_t resident_bytes;   /* all its memory; 0: not known */
    uint64_t census_ns;        /* that finding the objects took, after the copy */
    char *incomplete;          /* why objects may be missing; NULL: none should be */

    /* the objects */
    size_t count;
    uint64_t *addresses; /* ascending */
    uint32_t *types;     /* of type_rows */
    uint64_t *bytes;     /* its block with what stands before it, and the tables that it alone owns */

    /* the references: those of object i are first[i] up to first[i + 1]; all name an object */
    uint32_t *first; /* count + 1 */
    uint32_t *targets;
    hst_place *places; /* NULL: they were not loaded */

    struct hst_strings strings;
    struct hst_heap_type *type_rows;
    struct hst_heap_name *names; /* in order of type and place */
    struct hst_heap_root *roots;
    struct hst_heap_part *parts;
    struct hst_heap_finding *findings;
    size_t type_count, name_count, root_count, part_count, finding_count;
    struct hst_heap_values values;
};

int hst_heap_init(struct hst_heap *heap);
void hst_heap_release(struct hst_heap *heap);
/* The object that begins at address; HST_HEAP_NONE: none does. */
uint32_t hst_heap_find(const struct hst_heap *heap, uint64_t address);
/* Never NULL. */
const char *hst_heap_type_name(const struct hst_heap *heap, uint32_t type);
/* The name of a place in objects of a type; NULL: it has none. */
const char *hst_heap_place_name(const struct hst_heap *heap, uint32_t type, hst_place place);
/* The short text of an object and its length; NULL: it has none. Not terminated. */
const char *hst_heap_value(const struct hst_heap *heap, uint32_t object, size_t *ret_length);
/* Adds a value; objects must come in ascending order. 0: out of memory. */
int hst_heap_values_add(struct hst_heap_values *values, uint32_t object, const char *text, size_t length);

#endif
