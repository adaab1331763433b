/* proc(5), pagemap */
#include "heap/present.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

enum { PAGE = 4096, ENTRIES = 4096 /* of pagemap, read at once */ };
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)

int hst_is_own_memory(const struct hst_mapping *mapping)
{
    unsigned wanted = HST_MAP_READ | HST_MAP_WRITE;
    return (mapping->flags & wanted) == wanted && (mapping->flags & HST_MAP_SHARED) == 0 &&
           strncmp(mapping->path, "/dev/", 5) != 0 && strncmp(mapping->path, "[v", 2) != 0;
}

int hst_is_file_memory(const struct hst_mapping *mapping) { return mapping->path[0] == '/'; }

static enum hst_status visit_present(int pagemap, const struct hst_mapping *mapping, hst_run_visitor *visit,
                                     void *context)
{
    uint64_t entries[ENTRIES];
    hst_raddr start = 0, end = 0; /* of the run so far */
    for (hst_raddr at = mapping->start; at < mapping->end;) {
        size_t pages = (mapping->end - at) / PAGE < ENTRIES ? (mapping->end - at) / PAGE : ENTRIES;
        ssize_t got = pread(pagemap, entries, pages * sizeof *entries, (off_t)(at / PAGE * sizeof *entries));
        if (got <= 0)
            return visit(context, mapping->start, mapping->end); /* it cannot be told */
        for (size_t i = 0; i < (size_t)got / sizeof *entries; i++, at += PAGE) {
            if ((entries[i] & (PAGE_PRESENT | PAGE_SWAPPED)) == 0)
                continue;
            if (end != 0 && at - end > (hst_raddr)HST_GAP_PAGES * PAGE) {
                HST_TRY(visit(context, start, end));
                start = at;
            } else if (end == 0) {
                start = at;
            }
            end = at + PAGE;
        }
    }
    return end != 0 ? visit(context, start, end) : HST_OK;
}

enum hst_status hst_present_visit(int pid, const struct hst_maps *maps, hst_run_visitor *visit, void *context)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
    HST_CLEANUP_FD int pagemap = pid != 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    enum hst_status status = HST_OK;
    for (size_t i = 0; i < maps->count && status == HST_OK; i++) {
        const struct hst_mapping *mapping = &maps->items[i];
        if (!hst_is_own_memory(mapping))
            continue;
        if (pagemap < 0 || hst_is_file_memory(mapping))
            status = visit(context, mapping->start, mapping->end);
        else
            status = visit_present(pagemap, mapping, visit, context);
    }
    return status;
}
