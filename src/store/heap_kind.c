/* The texts, in the order of the numbers. */
#include "store/heap_kind.h"

#include <string.h>

#include "base/memory.h"
#include "model/heap.h"

static const char *const ways[] = {
    [HST_HEAP_STOPPED] = "stopped", [HST_HEAP_FORKED] = "forked",     [HST_HEAP_LIVE] = "live",
    [HST_HEAP_CORE] = "core",       [HST_HEAP_IMPORTED] = "imported", [HST_HEAP_PRECOPIED] = "precopied"};
static const char *const part_kinds[] = {
    [HST_PART_OBJECTS] = "objects", [HST_PART_TABLES] = "tables",           [HST_PART_SLACK] = "slack",
    [HST_PART_FREE] = "free",       [HST_PART_UNUSED] = "unused",           [HST_PART_OVERHEAD] = "overhead",
    [HST_PART_NATIVE] = "native",   [HST_PART_NATIVE_FREE] = "native free", [HST_PART_STACK] = "stack",
    [HST_PART_FILE] = "file",       [HST_PART_SHARED] = "shared",           [HST_PART_OTHER] = "other"};
static const char *const finding_kinds[] = {[HST_FINDING_DUPLICATE] = "duplicate",
                                            [HST_FINDING_LIST_SLACK] = "list slack",
                                            [HST_FINDING_DICT_SPARSE] = "sparse dict",
                                            [HST_FINDING_MATERIALISED] = "materialised",
                                            [HST_FINDING_SLOTS] = "slots",
                                            [HST_FINDING_ARRAY] = "array",
                                            [HST_FINDING_INTERN] = "intern",
                                            [HST_FINDING_FREEZE] = "freeze"};

const struct hst_heap_kinds hst_heap_ways = {ways, HST_ARRAY_LENGTH(ways)};
const struct hst_heap_kinds hst_heap_part_kinds = {part_kinds, HST_ARRAY_LENGTH(part_kinds)};
const struct hst_heap_kinds hst_heap_finding_kinds = {finding_kinds, HST_ARRAY_LENGTH(finding_kinds)};

const char *hst_heap_kind_name(const struct hst_heap_kinds *kinds, unsigned kind)
{
    return kind < kinds->count ? kinds->names[kind] : NULL;
}

int hst_heap_kind_find(const struct hst_heap_kinds *kinds, const unsigned char *name)
{
    for (size_t i = 0; i < kinds->count && name != NULL; i++)
        if (strcmp(kinds->names[i], (const char *)name) == 0)
            return (int)i;
    return -1;
}
