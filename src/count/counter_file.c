/* Maps the user's own files. Another user could cut a file short under a map of it, so that of another is
 * copied, holes left out. */
#include "count/counter_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum hst_status take_header(int fd, struct hst_counter_header *ret_header)
{
    struct hst_counter_header *header = ret_header;
    if (pread(fd, header, sizeof *header, 0) != (ssize_t)sizeof *header ||
        memcmp(header->magic, HST_COUNTER_MAGIC, sizeof header->magic) != 0)
        return HST_E_CORRUPT;
    header->service[sizeof header->service - 1] = '\0';
    header->command[sizeof header->command - 1] = '\0';
    if (header->folded_count > HST_COUNTER_FOLDED_MAX)
        header->folded_count = HST_COUNTER_FOLDED_MAX;
    return HST_OK;
}

static int open_plain(const char *path) { return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); }

enum hst_status hst_counter_header_read(const char *path, struct hst_counter_header *ret_header)
{
    int fd = open_plain(path);
    if (fd < 0)
        return hst_status_from_errno(errno);
    enum hst_status status = take_header(fd, ret_header);
    (void)close(fd);
    return status;
}

static enum hst_status copy(int fd, struct hst_counter_file *file)
{
    file->bytes =
        mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (file->bytes == MAP_FAILED)
        return HST_E_NOMEM;
    for (off_t at = 0; (uint64_t)at < file->size;) {
        off_t data = lseek(fd, at, SEEK_DATA), hole = data >= 0 ? lseek(fd, data, SEEK_HOLE) : -1;
        if (data < 0 || hole <= data)
            break; /* nothing follows */
        uint64_t end = (uint64_t)hole < file->size ? (uint64_t)hole : file->size;
        while ((uint64_t)data < end) {
            ssize_t got = pread(fd, file->bytes + data, end - (uint64_t)data, data);
            if (got <= 0)
                return HST_OK; /* cut short: zeros, which no row survives */
            data += got;
        }
        at = hole;
    }
    return HST_OK;
}

static enum hst_status open_in(int fd, struct hst_counter_file *file)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return HST_E_CORRUPT;
    file->size = (uint64_t)info.st_size;
    if (file->size < HST_COUNTER_HEADER_BYTES || file->size > HST_COUNTER_FILE_BYTES_MAX)
        return HST_E_CORRUPT;
    HST_TRY(take_header(fd, &file->header));
    if (info.st_uid != geteuid())
        return copy(fd, file);
    file->bytes = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);
    return file->bytes != MAP_FAILED ? HST_OK : HST_E_NOMEM;
}

enum hst_status hst_counter_file_open(const char *path, struct hst_counter_file *ret_file)
{
    int fd = open_plain(path);
    if (fd < 0)
        return hst_status_from_errno(errno);
    enum hst_status status = open_in(fd, ret_file);
    (void)close(fd);
    return status;
}

void hst_counter_file_close(struct hst_counter_file *file) { (void)munmap(file->bytes, file->size); }

static int is_sound(const struct hst_counter_series *head, uint64_t slots_left)
{
    size_t text = (size_t)head->name_bytes + head->labels_bytes + head->help_bytes + head->unit_bytes;
    if (head->slots > slots_left || head->data >= head->slots || head->kind == HST_COUNTER_NONE ||
        head->kind >= HST_COUNTER_KIND_COUNT)
        return 0;
    return head->kind == HST_COUNTER_ROOM ||
           (head->name_bytes != 0 && head->name_bytes <= HST_COUNTER_NAME_BYTES_MAX &&
            head->labels_bytes <= HST_COUNTER_LABELS_BYTES_MAX &&
            head->help_bytes <= HST_COUNTER_TEXT_BYTES_MAX &&
            head->unit_bytes <= HST_COUNTER_NAME_BYTES_MAX &&
            (uint64_t)head->data * HST_COUNTER_SLOT_BYTES >= sizeof *head + text &&
            (uint64_t)(head->slots - head->data) * HST_COUNTER_SLOT_BYTES >=
                hst_counter_cell_bytes(head->kind));
}

static void fill_row(struct hst_counter_row *row, const struct hst_counter_series *head, const char *bytes)
{
    *row = (struct hst_counter_row){.kind = (enum hst_counter_kind)head->kind,
                                    .name_bytes = head->name_bytes,
                                    .labels_bytes = head->labels_bytes,
                                    .help_bytes = head->help_bytes,
                                    .unit_bytes = head->unit_bytes,
                                    .cell = bytes + (size_t)head->data * HST_COUNTER_SLOT_BYTES};
    row->name = bytes + sizeof *head;
    row->labels = row->name + head->name_bytes;
    row->help = row->labels + head->labels_bytes;
    row->unit = row->help + head->help_bytes;
}

/* The row behind one is most often shaped as that one is: its head, texts and cell come from memory while
 * this one is dealt with. */
static void prefetch_next(const char *bytes, uint32_t data)
{
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + HST_COUNTER_SLOT_BYTES);
    __builtin_prefetch(bytes + (uint64_t)data * HST_COUNTER_SLOT_BYTES);
}

int hst_counter_file_next(const struct hst_counter_file *file, uint64_t *slot,
                          struct hst_counter_row *ret_row)
{
    const struct hst_counter_header *live = (const struct hst_counter_header *)(const void *)file->bytes;
    uint64_t used = __atomic_load_n(&live->used_slots, __ATOMIC_ACQUIRE);
    uint64_t all = file->size / HST_COUNTER_SLOT_BYTES;
    uint64_t at = *slot > HST_COUNTER_HEADER_SLOTS ? *slot : HST_COUNTER_HEADER_SLOTS;
    struct hst_counter_series head;
    for (used = used < all ? used : all; at < used; at += head.slots) {
        const char *bytes = file->bytes + at * HST_COUNTER_SLOT_BYTES;
        memcpy(&head, bytes, sizeof head);
        if (!is_sound(&head, used - at))
            return 0;
        if (head.kind == HST_COUNTER_ROOM)
            continue;
        if (memchr(bytes + sizeof head, '\0', head.name_bytes) != NULL)
            return 0;
        fill_row(ret_row, &head, bytes);
        ret_row->cell_slot = at + head.data;
        ret_row->file_slots = all;
        *slot = at + head.slots;
        prefetch_next(bytes + (uint64_t)head.slots * HST_COUNTER_SLOT_BYTES, head.data);
        return 1;
    }
    return 0;
}
