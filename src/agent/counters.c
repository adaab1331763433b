/* Makes, maps and grows the file. */
#include "agent/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "count/owner.h"

/* Addresses are cheap and pages are taken when they are touched; where even addresses are limited, less. */
static const uint64_t spans[] = {HST_COUNTER_FILE_BYTES_MAX, UINT64_C(1) << 30, UINT64_C(64) << 20};
enum { GROW_BYTES = 1 << 16, TRIES = 1000, PAGE = 4096 };

static char *base;            /* of the file; NULL: not made yet */
static uint64_t span, length; /* of addresses, of the file */
static uint64_t used;         /* slots; the header's are read by others, and after fork are the parent's */
static uint64_t room_at, room_end; /* slots for octaves; what lies before is dealt out */
static char service[HST_COUNTER_SERVICE_BYTES], folder[512], path[640];
static const char *trouble;
static int trouble_told;
static pid_t owner_pid; /* whose the file is */
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

static struct hst_counter_header *header(void) { return (struct hst_counter_header *)(void *)base; }

static int make_file(struct hst_counter_owner *owner)
{
    char name[80];
    for (owner->number = 0; owner->number < TRIES; owner->number++) {
        hst_counter_file_name(owner, name, sizeof name);
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* Memory for [begin, end) of the file is there for certain afterwards. */
static int allocate(int fd, uint64_t begin, uint64_t end)
{
    int failed;
    do
        failed = posix_fallocate(fd, (off_t)begin, (off_t)(end - begin));
    while (failed == EINTR);
    return failed == 0;
}

static int allocate_by_name(uint64_t begin, uint64_t end)
{
    int fd = path[0] != '\0' ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (fd < 0)
        return path[0] == '\0'; /* private memory needs no leave */
    int good = allocate(fd, begin, end);
    (void)close(fd);
    return good;
}

static char *map(int fd)
{
    int flags = MAP_NORESERVE | (fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
        if (span != 0 && spans[i] != span) /* a child's is as large as its parent's */
            continue;
        void *mapped = mmap(NULL, spans[i], PROT_READ | PROT_WRITE, flags, fd, 0);
        if (mapped != MAP_FAILED) {
            span = spans[i];
            (void)madvise(mapped, span, MADV_DONTDUMP);
            return mapped;
        }
    }
    return NULL;
}

static void fill_header(struct hst_counter_header *into, const struct hst_counter_owner *owner)
{
    into->owner = *owner;
    into->start_wall_ns = hst_wall_ns();
    (void)snprintf(into->service, sizeof into->service, "%s", service);
    hst_counter_command_read(into->command, sizeof into->command);
    used = into->used_slots = HST_COUNTER_HEADER_SLOTS;
    memcpy(into->magic, HST_COUNTER_MAGIC, sizeof into->magic);
}

/* A new file with the header in it, somewhere in memory. NULL: it cannot be had. */
static char *open_file(uint64_t bytes)
{
    struct hst_counter_owner owner;
    hst_counter_owner_read(&owner);
    int fd = make_file(&owner);
    if (fd < 0)
        return NULL;
    char *mapped = allocate(fd, 0, bytes) ? map(fd) : NULL;
    (void)close(fd);
    if (mapped == NULL) {
        (void)unlink(path);
        return NULL;
    }
    length = bytes;
    fill_header((struct hst_counter_header *)(void *)mapped, &owner);
    return mapped;
}

/* Without a file the program's own counters still work. */
static void open_private(const char *why)
{
    trouble = why;
    path[0] = '\0';
    base = map(-1);
    length = base != NULL ? span : 0;
    if (base != NULL)
        fill_header(header(), &(struct hst_counter_owner){0});
}

static void open_first(void)
{
    owner_pid = getpid();
    if (!hst_counter_folder(folder, sizeof folder, 1))
        open_private("the folder of counters cannot be made, or is another user's");
    else if ((base = open_file(GROW_BYTES)) == NULL)
        open_private("the file of counters cannot be made: no space, or no permission");
}

/* There is memory for so many bytes from begin on. */
static int reserve(uint64_t begin, uint64_t bytes)
{
    uint64_t end = begin + bytes, to = (end + GROW_BYTES) & ~(uint64_t)(GROW_BYTES - 1);
    if (end > span)
        return 0;
    if (end <= length)
        return 1;
    to = to < span ? to : span;
    if (!allocate_by_name(length, to))
        return 0;
    length = to;
    return 1;
}

void hst_counter_cell_init(enum hst_counter_kind kind, void *cell, uint64_t window_ns)
{
    if (kind == HST_COUNTER_HISTOGRAM) {
        struct hst_counter_histogram *histogram = cell;
        histogram->min = INFINITY;
        histogram->max = -INFINITY;
    } else if (kind >= HST_COUNTER_FREQUENCY && kind <= HST_COUNTER_WINDOW) {
        struct hst_counter_window *window = cell;
        window->width_ns = window_ns / HST_COUNTER_BUCKETS_OF_WINDOW;
        window->first_ns = hst_now_ns();
    }
}

static void fill_series(struct hst_counter_series *series, enum hst_counter_kind kind,
                        const struct hst_counter_texts *texts)
{
    char *at = (char *)(series + 1);
    series->kind = (uint16_t)kind;
    series->name_bytes = (uint16_t)texts->name_bytes;
    series->labels_bytes = (uint16_t)texts->labels_bytes;
    series->help_bytes = (uint16_t)texts->help_bytes;
    series->unit_bytes = (uint16_t)texts->unit_bytes;
    memcpy(at, texts->name, texts->name_bytes);
    at += texts->name_bytes;
    memcpy(at, texts->labels, texts->labels_bytes);
    at += texts->labels_bytes;
    memcpy(at, texts->help, texts->help_bytes);
    memcpy(at + texts->help_bytes, texts->unit, texts->unit_bytes);
}

/* A row at the end, which nobody sees before it is published. NULL: there is no more room. */
static struct hst_counter_series *append(uint32_t slots)
{
    uint64_t begin = used * HST_COUNTER_SLOT_BYTES;
    if (base == NULL || !reserve(begin, (uint64_t)slots * HST_COUNTER_SLOT_BYTES))
        return NULL;
    struct hst_counter_series *series = (struct hst_counter_series *)(void *)(base + begin);
    series->slots = slots;
    return series;
}

static void publish(const struct hst_counter_series *series)
{
    __atomic_store_n(&header()->used_slots, used += series->slots, __ATOMIC_RELEASE);
}

void *hst_counters_add(enum hst_counter_kind kind, const struct hst_counter_texts *texts, uint64_t window_ns)
{
    size_t text = texts->name_bytes + texts->labels_bytes + texts->help_bytes + texts->unit_bytes;
    uint32_t data = 1 + (uint32_t)((text + HST_COUNTER_SLOT_BYTES - 1) / HST_COUNTER_SLOT_BYTES);
    uint32_t slots = data + hst_counter_cell_bytes(kind) / HST_COUNTER_SLOT_BYTES;
    void *cell = NULL;
    (void)pthread_mutex_lock(&adding);
    if (base == NULL)
        open_first();
    struct hst_counter_series *series = append(slots);
    if (series != NULL) {
        fill_series(series, kind, texts);
        series->data = data;
        cell = series + data;
        hst_counter_cell_init(kind, cell, window_ns);
        publish(series);
    }
    (void)pthread_mutex_unlock(&adding);
    return cell;
}

static struct hst_counter_series *series_at(uint64_t slot)
{
    return (struct hst_counter_series *)(void *)(base + slot * HST_COUNTER_SLOT_BYTES);
}

/* The next one: after a fork those of the parent are there, all of them free. */
static int find_room(void)
{
    struct hst_counter_series *room = NULL;
    uint64_t at = room_end > HST_COUNTER_HEADER_SLOTS ? room_end : HST_COUNTER_HEADER_SLOTS;
    while (at < used && (room = series_at(at))->kind != HST_COUNTER_ROOM)
        at += room->slots;
    if (at >= used) {
        room = append(HST_COUNTER_ROOM_SLOTS);
        if (room == NULL)
            return 0;
        room->kind = HST_COUNTER_ROOM;
        room->data = 1;
        publish(room);
    }
    room_at = at + 1;
    room_end = at + HST_COUNTER_ROOM_SLOTS;
    return 1;
}

/* -> a place; 0: there is no memory. */
static uint64_t make_place(const struct hst_counter_histogram *histogram)
{
    if (room_at == room_end && !find_room())
        return 0;
    int64_t cell = ((const char *)histogram - base) / (int64_t)HST_COUNTER_SLOT_BYTES;
    uint64_t place = (uint32_t)((int64_t)room_at - cell);
    room_at += HST_COUNTER_OCTAVE_SLOTS;
    return place;
}

uint64_t *hst_counters_bucket(struct hst_counter_histogram *histogram, int bucket)
{
    int octave = bucket / HST_COUNTER_OCTAVE_PARTS;
    (void)pthread_mutex_lock(&adding);
    uint64_t place = histogram->places[octave];
    if (place == 0)
        place = make_place(histogram);
    if (place != 0) {
        place |= hst_counter_place_bit(bucket);
        __atomic_store_n(&histogram->places[octave], place, __ATOMIC_RELEASE);
        __atomic_store_n(&histogram->octaves, histogram->octaves | UINT64_C(1) << octave, __ATOMIC_RELEASE);
    } else {
        __atomic_fetch_add(&header()->lost, 1, __ATOMIC_RELAXED);
    }
    (void)pthread_mutex_unlock(&adding);
    return place != 0 ? hst_counter_octave(histogram, place) + bucket % HST_COUNTER_OCTAVE_PARTS : NULL;
}

static uint64_t window_of(const struct hst_counter_series *series)
{
    if (series->kind < HST_COUNTER_FREQUENCY || series->kind > HST_COUNTER_WINDOW)
        return 0;
    return ((const struct hst_counter_window *)(const void *)(series + series->data))->width_ns *
           HST_COUNTER_BUCKETS_OF_WINDOW;
}

/* The same series in the child's file, as they were when they were made. */
static int copy_series(char *from, char *to, uint64_t slots)
{
    for (uint64_t at = HST_COUNTER_HEADER_SLOTS; at < slots;) {
        uint64_t offset = at * HST_COUNTER_SLOT_BYTES;
        const struct hst_counter_series *old =
            (const struct hst_counter_series *)(const void *)(from + offset);
        size_t head = (size_t)old->data * HST_COUNTER_SLOT_BYTES;
        if (!reserve(offset, (uint64_t)old->slots * HST_COUNTER_SLOT_BYTES))
            return 0;
        memcpy(to + offset, old, head);
        if (old->kind != HST_COUNTER_ROOM)
            hst_counter_cell_init(old->kind, to + offset + head, window_of(old));
        at += old->slots;
    }
    used = ((struct hst_counter_header *)(void *)to)->used_slots = slots;
    room_at = room_end = 0;
    return 1;
}

/* What cannot be kept in a file is at least the child's own. */
static char *map_private(char *old, uint64_t slots)
{
    path[0] = '\0';
    char *mapped = map(-1);
    length = mapped != NULL ? span : 0;
    if (mapped != NULL) {
        fill_header((struct hst_counter_header *)(void *)mapped, &(struct hst_counter_owner){0});
        (void)copy_series(old, mapped, slots);
    }
    return mapped;
}

void hst_counters_forked(void)
{
    if (base == NULL || owner_pid == getpid())
        return; /* another interpreter of this process was here before */
    owner_pid = getpid();
    (void)pthread_mutex_init(&adding, NULL); /* whoever held it is not here */
    uint64_t slots = used;
    char *mapped = path[0] != '\0' ? open_file(GROW_BYTES) : NULL;
    if (mapped != NULL && !copy_series(base, mapped, slots)) {
        (void)munmap(mapped, span);
        (void)unlink(path);
        mapped = NULL;
    }
    if (mapped == NULL)
        mapped = map_private(base, slots);
    if (mapped != NULL)
        (void)mremap(mapped, span, span, MREMAP_MAYMOVE | MREMAP_FIXED, base);
}

void hst_counters_set_service(const char *name)
{
    (void)pthread_mutex_lock(&adding);
    (void)snprintf(service, sizeof service, "%s", name);
    if (base != NULL)
        (void)snprintf(header()->service, sizeof header()->service, "%s", name);
    (void)pthread_mutex_unlock(&adding);
}

const char *hst_counters_trouble(void)
{
    const char *told = trouble_told ? NULL : trouble;
    trouble_told |= told != NULL;
    return told;
}

const char *hst_counters_path(void) { return base != NULL ? path : ""; }
