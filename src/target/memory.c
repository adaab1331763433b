/* Memory of a live process. */
#include "target/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/memory.h"
#include "target/lent.h"

struct live {
    struct hst_memory base;
    pid_t pid;
    int lent; /* descriptor of its /proc/self/mem, when reading from outside is refused; else -1 */
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

/* A call a piece: the file knows no lists. */
static enum hst_status read_lent(struct live *live, const struct hst_piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ssize_t got = pread(live->lent, pieces[i].into, pieces[i].length, (off_t)pieces[i].address);
        live->base.reads++;
        if (got == 0)
            return HST_E_GONE; /* the memory has no user any more */
        if (got < 0)
            return errno == EIO || errno == EFAULT ? HST_E_TORN : hst_status_from_errno(errno);
        live->base.bytes += (uint64_t)got;
        if ((size_t)got != pieces[i].length)
            return HST_E_TORN;
    }
    return HST_OK;
}

static enum hst_status live_read(struct hst_memory *memory, const struct hst_piece *pieces, size_t count)
{
    struct live *live = (struct live *)memory;
    if (live->lent >= 0)
        return read_lent(live, pieces, count);
    for (size_t done = 0; done < count; done += HST_PIECES_MAX) {
        size_t some = count - done < HST_PIECES_MAX ? count - done : HST_PIECES_MAX;
        HST_TRY(read_some(live, pieces + done, some));
    }
    return HST_OK;
}

static void live_free(struct hst_memory *memory) { hst_free(memory); }

/* Refused is told before the address is looked at. */
static int may_read(int pid)
{
    char byte;
    struct iovec local = {.iov_base = &byte, .iov_len = 1}, remote = {.iov_base = NULL, .iov_len = 1};
    return process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0 || errno == EFAULT;
}

enum hst_status hst_memory_live(int pid, struct hst_memory **ret_memory)
{
    struct live *live = hst_alloc_zero(1, sizeof *live);
    if (live == NULL)
        return HST_E_NOMEM;
    *live = (struct live){.base = {.read = live_read, .free = live_free}, .pid = pid, .lent = -1};
    const struct hst_lent *lent = hst_lent_of(pid);
    if (lent != NULL && lent->memory >= 0 && !may_read(pid))
        live->lent = lent->memory;
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
