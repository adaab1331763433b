/* Makes, maps and grows the file. */
#include "agent/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Addresses are cheap and pages are taken when they are touched; where even addresses are limited, less. */
static const uint64_t spans[] = {UINT64_C(64) << 30, UINT64_C(4) << 30, UINT64_C(256) << 20};
enum { GROW_CHUNKS = 16, TRIES = 1000 };

char *hst_arena_base;
uint32_t hst_arena_serial;
static uint32_t opened;             /* so many, ever */
static uint64_t span, length, used; /* of addresses, of the file, of it in use */
static char folder_name[512], path[600];
static pthread_mutex_t growing = PTHREAD_MUTEX_INITIALIZER;

/* "<pid>.<n>.map": a process may have several, one after the other (exec). */
static int make_file(void)
{
    for (int i = 0; i < TRIES; i++) {
        (void)snprintf(path, sizeof path, "%s/%ld.%d%s", folder_name, (long)getpid(), i,
                       HST_AGENT_FILE_ENDING);
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static int grow(int fd, uint64_t to)
{
    int failed;
    if (to > span)
        return 0;
    do
        failed = posix_fallocate(fd, (off_t)length, (off_t)(to - length));
    while (failed == EINTR);
    if (failed != 0)
        return 0;
    length = to;
    return 1;
}

static int map_file(int fd, void *at)
{
    int flags = MAP_SHARED | MAP_NORESERVE | (at != NULL ? MAP_FIXED : 0);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        if (at != NULL && spans[i] != span)
            continue;
        void *base = mmap(at, spans[i], PROT_READ | PROT_WRITE, flags, fd, 0);
        if (base != MAP_FAILED) {
            hst_arena_base = base;
            span = spans[i];
            return 1;
        }
    }
    return 0;
}

static int open_at(void *at)
{
    int fd = make_file();
    length = 0;
    used = HST_AGENT_CHUNK_BYTES;
    if (fd < 0)
        return 0;
    span = at != NULL ? span : spans[0];
    int good = grow(fd, GROW_CHUNKS * HST_AGENT_CHUNK_BYTES) && map_file(fd, at);
    (void)close(fd);
    if (!good)
        (void)unlink(path);
    hst_arena_serial = good ? ++opened : 0;
    return good;
}

int hst_arena_open(const char *folder)
{
    (void)snprintf(folder_name, sizeof folder_name, "%s", folder);
    if (!open_at(hst_arena_base))
        return 0;
    struct hst_agent_header *header = hst_arena_header();
    header->chunk.kind = HST_AGENT_CHUNK_HEADER;
    header->pid = (uint32_t)getpid();
    header->parent_pid = (uint32_t)getppid();
    memcpy(header->magic, HST_AGENT_MAGIC, sizeof header->magic);
    return 1;
}

void hst_arena_close(void)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
    hst_arena_serial = 0;
    (void)mmap(hst_arena_base, span, PROT_READ | PROT_WRITE, flags, -1, 0);
}

int hst_arena_reopen(void)
{
    struct hst_agent_header header = *hst_arena_header();
    char *old = hst_arena_base;
    (void)pthread_mutex_init(&growing, NULL); /* whoever held it is not here */
    if (!open_at(old)) {
        hst_arena_close();
        return 0;
    }
    header.pid = (uint32_t)getpid();
    header.parent_pid = (uint32_t)getppid();
    header.lost_contexts = header.lost_suspensions = header.lost_events = 0;
    header.events_taken = 0;
    if (header.state == HST_AGENT_ENDED) /* the parent was faster */
        header.state = HST_AGENT_TRACING;
    header.end_ticks = 0;
    *hst_arena_header() = header;
    return 1;
}

/* The file's next part, through its name: no descriptor is kept. */
static int grow_by_name(void)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int good = grow(fd, length + GROW_CHUNKS * HST_AGENT_CHUNK_BYTES);
    (void)close(fd);
    return good;
}

uint32_t hst_arena_chunk(enum hst_agent_chunk_kind kind, uint32_t thread)
{
    uint32_t slot = 0;
    (void)pthread_mutex_lock(&growing);
    if (used < length || grow_by_name()) {
        slot = (uint32_t)(used / HST_AGENT_SLOT_BYTES);
        used += HST_AGENT_CHUNK_BYTES;
    }
    (void)pthread_mutex_unlock(&growing);
    if (slot == 0)
        return 0;
    struct hst_agent_chunk *chunk = hst_arena_slot(slot);
    chunk->thread = thread;
    chunk->used = 1;
    __atomic_store_n(&chunk->kind, (uint32_t)kind, __ATOMIC_RELEASE);
    return slot;
}

uint32_t hst_arena_take(uint32_t *chunk, enum hst_agent_chunk_kind kind, uint32_t thread, uint32_t slots)
{
    if (slots >= HST_AGENT_CHUNK_SLOTS)
        return 0;
    const struct hst_agent_chunk *current = *chunk != 0 ? hst_arena_slot(*chunk) : NULL;
    if (current == NULL || current->used + slots > HST_AGENT_CHUNK_SLOTS) {
        uint32_t fresh = hst_arena_chunk(kind, thread);
        if (fresh == 0)
            return 0;
        *chunk = fresh;
        current = hst_arena_slot(fresh);
    }
    return *chunk + current->used;
}

void hst_arena_publish(uint32_t chunk, uint32_t end)
{
    struct hst_agent_chunk *current = hst_arena_slot(chunk);
    __atomic_store_n(&current->used, end - chunk, __ATOMIC_RELEASE);
}
