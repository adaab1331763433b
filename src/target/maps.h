/* What is mapped where in a process: /proc/PID/maps as an array. */
#ifndef HST_TARGET_MAPS_H
#define HST_TARGET_MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "target/memory.h"

enum hst_map_flag { HST_MAP_READ = 1, HST_MAP_WRITE = 2, HST_MAP_EXEC = 4, HST_MAP_SHARED = 8 };

struct hst_mapping {
    hst_raddr start, end;
    uint64_t offset; /* in the file */
    unsigned flags;
    char *path; /* as the target sees it; "" = anonymous; " (deleted)" is kept at its end */
};

struct hst_maps {
    struct hst_mapping *items; /* in order of address */
    size_t count, capacity;
};

/* Reads /proc/PID/maps into an empty or released list. */
enum hst_status hst_maps_read(int pid, struct hst_maps *maps) HST_MUST_CHECK;
enum hst_status hst_maps_parse(const char *text, size_t length, struct hst_maps *maps) HST_MUST_CHECK;
/* Makes one of neighbours that differ in nothing that a program can see: the system keeps memory in two parts
 * when only one of them was watched, and an allocator's block may lie across. */
void hst_maps_join(struct hst_maps *maps);
void hst_maps_release(struct hst_maps *maps);
/* The mapping that holds address, or NULL. */
const struct hst_mapping *hst_maps_find(const struct hst_maps *maps, hst_raddr address);

#endif
