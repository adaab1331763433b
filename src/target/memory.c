/* Memory of a live process. */
#include "target/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/memory.h"

struct live {
    struct hst_memory base;
    pid_t pid;
};

static enum hst_status read_some(struct live *live, const struct hst_piece *pieces, size_t count)
{
    struct iovec local[HST_PIECES_MAX], remote[HST_PIECES_MAX];
    size_t wanted = 0;
    for (size_t i = 0; i < count; i++) {
        local[i] = (struct iovec){.iov_base = pieces[i].into, .iov_len = pieces[i].length};
        remote[i] =
            (struct iovec){.iov_base = (void *)(uintptr_t)pieces[i].address, .iov_len = pieces[i].length};
        wanted += pieces[i].length;
    }
    ssize_t got = process_vm_readv(live->pid, local, count, remote, count, 0);
    live->base.reads++;
    if (got < 0)
        return errno == EFAULT ? HST_E_TORN : hst_status_from_errno(errno);
    live->base.bytes += (uint64_t)got;
    return (size_t)got == wanted ? HST_OK : HST_E_TORN;
}

static enum hst_status live_read(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    for (size_t done = 0; done < count; done += HST_PIECES_MAX) {
        size_t some = count - done < HST_PIECES_MAX ? count - done : HST_PIECES_MAX;
        HST_TRY(read_some((struct live *)memory, pieces + done, some));
    }
    return HST_OK;
}

static void live_free(struct hst_memory *memory) { hst_free(memory); }

enum hst_status hst_memory_live(int pid, struct hst_memory **ret_memory)
{
    struct live *live = hst_alloc_zero(1, sizeof *live);
    if (live == NULL)
        return HST_E_NOMEM;
    *live = (struct live){.base = {.read = live_read, .free = live_free}, .pid = pid};
    *ret_memory = &live->base;
    return HST_OK;
}

void hst_memory_free(struct hst_memory *memory)
{
    if (memory != NULL)
        memory->free(memory);
}

enum hst_status hst_memory_read_text(struct hst_memory *memory, hst_raddr address, char *into, size_t size)
{
    size_t length = 0;
    while (length + 1 < size) {
        /* Up to the end of a page at a time: the text may end just before memory that is not mapped. */
        size_t step = 4096 - (address + length) % 4096;
        if (step > size - 1 - length)
            step = size - 1 - length;
        HST_TRY(hst_memory_read(memory, address + length, into + length, step));
        if (memchr(into + length, '\0', step) != NULL)
            return HST_OK;
        length += step;
    }
    into[length] = '\0';
    return HST_OK;
}
