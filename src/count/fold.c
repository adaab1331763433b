/* Under an exclusive lock: the totals and up to 64 dead files are added up into a new file, which takes the
 * place of the totals by rename and names those that went in; only then are they removed. A file that is
 * named there and still exists was folded, and is only to be removed. */
#include "count/fold.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "count/tally.h"

enum { PATH_BYTES = 700 };

/* Dead files of one service. */
struct batch {
    const char *folder;
    char service[HST_COUNTER_SERVICE_BYTES];
    struct hst_counter_owner owners[HST_COUNTER_FOLDED_MAX];
    char names[HST_COUNTER_FOLDED_MAX][80];
    uint32_t count;
    struct hst_tally tally;
};

int hst_counter_lock(const char *folder, int exclusive, int wait)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/" HST_COUNTER_LOCK, folder);
    int fd = open(path, (exclusive ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    if (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | (wait ? 0 : LOCK_NB)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

void hst_counter_totals_path(const char *folder, const char *service, char *into, size_t size)
{
    char plain[HST_COUNTER_SERVICE_BYTES];
    size_t length = 0;
    int changed = service[0] == '.';
    for (; service[length] != '\0' && length + 1 < sizeof plain; length++) {
        char c = service[length];
        int good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                   c == '-' || c == '.';
        if (!good)
            c = '_';
        plain[length] = c;
        changed |= !good;
    }
    plain[length] = '\0';
    if (changed) /* two services must not share a file */
        (void)snprintf(into, size, "%s/_%s-%016llx" HST_COUNTER_TOTALS_ENDING, folder, plain,
                       (unsigned long long)hst_hash_bytes(service, strlen(service), 0));
    else
        (void)snprintf(into, size, "%s/%s" HST_COUNTER_TOTALS_ENDING, folder, plain);
}

int hst_counter_is_folded(const struct hst_counter_header *totals, const struct hst_counter_owner *owner)
{
    for (uint32_t i = 0; i < totals->folded_count; i++)
        if (memcmp(&totals->folded[i], owner, sizeof *owner) == 0)
            return 1;
    return 0;
}

static int write_at(int fd, const void *data, size_t bytes, uint64_t at)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t put = pwrite(fd, (const char *)data + done, bytes - done, (off_t)(at + done));
        if (put <= 0 && errno != EINTR)
            return 0;
        done += put > 0 ? (size_t)put : 0;
    }
    return 1;
}

static uint32_t octaves_of(const struct hst_tally_row *row)
{
    return row->histogram != NULL ? (uint32_t)__builtin_popcountll(row->histogram->used) : 0;
}

/* Its octaves lie behind it. */
static int write_histogram(int fd, const struct hst_histogram_moment *from, uint64_t at)
{
    struct hst_counter_histogram cell = {.octaves = from->used,
                                         .sum = from->sum,
                                         .min = from->min,
                                         .max = from->max,
                                         .low = from->low,
                                         .above = from->above,
                                         .invalid = from->invalid};
    uint64_t slot = sizeof cell / HST_COUNTER_SLOT_BYTES;
    for (uint64_t left = from->used; left != 0; left &= left - 1) {
        int i = __builtin_ctzll(left);
        cell.places[i] = slot;
        for (int j = 0; j < HST_COUNTER_OCTAVE_PARTS; j++)
            cell.places[i] |= from->octaves[i][j] != 0 ? hst_counter_place_bit(j) : 0;
        if (!write_at(fd, from->octaves[i], HST_COUNTER_OCTAVE_PARTS * sizeof(uint64_t),
                      at + slot * HST_COUNTER_SLOT_BYTES))
            return 0;
        slot += HST_COUNTER_OCTAVE_SLOTS;
    }
    return write_at(fd, &cell, sizeof cell, at);
}

static int write_cell(int fd, const struct hst_tally_row *row, uint64_t at)
{
    if (row->histogram != NULL)
        return write_histogram(fd, row->histogram, at);
    if (row->kind >= HST_COUNTER_FREQUENCY) {
        struct hst_counter_window window = {.width_ns = (uint64_t)(row->window_s * 1e9) /
                                                        HST_COUNTER_BUCKETS_OF_WINDOW,
                                            .count = row->count,
                                            .sum = row->sum};
        return write_at(fd, &window, sizeof window, at);
    }
    struct hst_counter_number number = {.whole = row->whole, .part = row->part};
    return write_at(fd, &number, sizeof number, at);
}

/* -> slots it takes; 0: it cannot be written. */
static uint64_t write_row(int fd, const struct hst_tally_row *row, uint64_t slot)
{
    char bytes[2 * HST_COUNTER_SLOT_BYTES + 2 * HST_COUNTER_NAME_BYTES_MAX + HST_COUNTER_LABELS_BYTES_MAX +
               HST_COUNTER_TEXT_BYTES_MAX] = {0};
    struct hst_counter_series head = {.kind = (uint16_t)row->kind,
                                      .name_bytes = (uint16_t)strlen(row->name),
                                      .labels_bytes = (uint16_t)row->labels_bytes,
                                      .help_bytes = (uint16_t)strlen(row->help),
                                      .unit_bytes = (uint16_t)strlen(row->unit)};
    char *at = bytes + sizeof head;
    memcpy(at, row->name, head.name_bytes);
    memcpy(at += head.name_bytes, row->labels, head.labels_bytes);
    memcpy(at += head.labels_bytes, row->help, head.help_bytes);
    memcpy(at += head.help_bytes, row->unit, head.unit_bytes);
    at += head.unit_bytes;
    head.data = (uint32_t)(((size_t)(at - bytes) + HST_COUNTER_SLOT_BYTES - 1) / HST_COUNTER_SLOT_BYTES);
    head.slots = head.data + hst_counter_cell_bytes(row->kind) / HST_COUNTER_SLOT_BYTES +
                 octaves_of(row) * HST_COUNTER_OCTAVE_SLOTS;
    memcpy(bytes, &head, sizeof head);
    uint64_t offset = slot * HST_COUNTER_SLOT_BYTES, data = (uint64_t)head.data * HST_COUNTER_SLOT_BYTES;
    return write_at(fd, bytes, data, offset) && write_cell(fd, row, offset + data) ? head.slots : 0;
}

static int write_totals(const struct batch *batch, const char *path)
{
    char temporary[PATH_BYTES + 8];
    struct hst_counter_header header = {
        .used_slots = HST_COUNTER_HEADER_SLOTS, .start_wall_ns = hst_wall_ns(), .folded_count = batch->count};
    memcpy(header.magic, HST_COUNTER_MAGIC, sizeof header.magic);
    memcpy(header.service, batch->service, sizeof header.service);
    memcpy(header.folded, batch->owners, batch->count * sizeof batch->owners[0]);
    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), good = fd >= 0;
    for (size_t i = 0; good && i < batch->tally.count; i++) {
        uint64_t slots = write_row(fd, &batch->tally.rows[i], header.used_slots);
        header.used_slots += slots;
        good = slots != 0;
    }
    good = good && write_at(fd, &header, sizeof header, 0) &&
           ftruncate(fd, (off_t)(header.used_slots * HST_COUNTER_SLOT_BYTES)) == 0;
    if (fd >= 0)
        (void)close(fd);
    good = good && rename(temporary, path) == 0;
    if (!good && fd >= 0)
        (void)unlink(temporary);
    return good;
}

/* A file of a process that does not hold together has nothing to give; totals that do not are left alone. */
static int add_path(struct hst_tally *tally, const char *path, int may_be_corrupt)
{
    struct hst_counter_file file;
    enum hst_status status = hst_counter_file_open(path, &file);
    if (status != HST_OK)
        return status == HST_E_CORRUPT && may_be_corrupt;
    status = hst_tally_add_file(tally, &file, 0, 0);
    hst_counter_file_close(&file);
    return status == HST_OK;
}

/* 0: all is as it was. */
static int fold_batch(struct batch *batch)
{
    char path[PATH_BYTES], totals[PATH_BYTES];
    struct hst_counter_header old = {0};
    hst_counter_totals_path(batch->folder, batch->service, totals, sizeof totals);
    int has_old = hst_counter_header_read(totals, &old) == HST_OK, good = 1;
    hst_tally_init(&batch->tally);
    if (has_old)
        good = add_path(&batch->tally, totals, 0);
    for (uint32_t i = 0; good && i < batch->count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", batch->folder, batch->names[i]);
        if (!hst_counter_is_folded(&old, &batch->owners[i]))
            good = add_path(&batch->tally, path, 1);
    }
    good = good && write_totals(batch, totals);
    for (uint32_t i = 0; good && i < batch->count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", batch->folder, batch->names[i]);
        good = unlink(path) == 0;
    }
    hst_tally_release(&batch->tally);
    return good;
}

static int ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), wanted = strlen(ending);
    return length > wanted && strcmp(name + length - wanted, ending) == 0;
}

/* Files of the batch's service, or of any when it has none yet. */
static void gather(struct batch *batch, DIR *folder, const struct hst_counter_owner *self)
{
    char path[PATH_BYTES];
    char name[80];
    struct hst_counter_header header;
    for (const struct dirent *entry;
         (entry = readdir(folder)) != NULL && batch->count < HST_COUNTER_FOLDED_MAX;) {
        if (!ends_with(entry->d_name, HST_COUNTER_ENDING) || strlen(entry->d_name) >= sizeof batch->names[0])
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", batch->folder, entry->d_name);
        if (hst_counter_header_read(path, &header) != HST_OK)
            continue;
        hst_counter_file_name(&header.owner, name, sizeof name);
        if (strcmp(name, entry->d_name) != 0 ||
            hst_counter_owner_life(self, &header.owner) != HST_COUNTER_DEAD ||
            (batch->count > 0 && strcmp(header.service, batch->service) != 0))
            continue;
        memcpy(batch->service, header.service, sizeof batch->service);
        batch->owners[batch->count] = header.owner;
        (void)snprintf(batch->names[batch->count++], sizeof batch->names[0], "%s",
                       name); /* which is the entry's */
    }
}

void hst_counter_fold(const char *folder, int wait)
{
    enum { BATCHES_MAX = 1000 };
    struct hst_counter_owner self;
    hst_counter_owner_read(&self);
    int lock = hst_counter_lock(folder, 1, wait);
    struct batch *batch = lock >= 0 ? hst_alloc_zero(1, sizeof *batch) : NULL;
    for (int i = 0; batch != NULL && i < BATCHES_MAX; i++) {
        DIR *entries = opendir(folder);
        *batch = (struct batch){.folder = folder};
        if (entries == NULL)
            break;
        gather(batch, entries, &self);
        (void)closedir(entries);
        if (batch->count == 0 || !fold_batch(batch))
            break;
    }
    hst_free(batch);
    if (lock >= 0)
        (void)close(lock);
}
