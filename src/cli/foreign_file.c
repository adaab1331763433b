/* Looks at the first bytes. */
#include "cli/foreign_file.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "import/marshal.h"
#include "import/pickle.h"

#define HEAD_BYTES 16

/* 0 when it is no file that can be read. */
static size_t read_head(const char *path, uint8_t *head)
{
    struct stat info;
    HST_CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return 0;
    ssize_t length = read(fd, head, HEAD_BYTES);
    return length > 0 ? (size_t)length : 0;
}

enum hst_foreign_kind hst_foreign_kind_of(const char *path)
{
    uint8_t head[HEAD_BYTES];
    size_t length = read_head(path, head);
    if (hst_marshal_begins(head, length))
        return HST_FOREIGN_PSTATS;
    if (hst_pickle_begins(head, length))
        return HST_FOREIGN_LPROF;
    return HST_FOREIGN_NONE;
}

enum hst_status hst_foreign_explain(const char *path, enum hst_status status, struct hst_error *err)
{
    static const char sqlite[] = "SQLite format 3";
    uint8_t head[HEAD_BYTES];
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return status;
    if (read_head(path, head) == HEAD_BYTES && memcmp(head, sqlite, sizeof sqlite) == 0) {
        (void)hst_error_set(err, HST_E_INVALID, "%.300s is a store, not a run", path);
        hst_error_hint(err, "--store %.300s", path);
        return HST_E_INVALID;
    }
    (void)hst_error_set(err, HST_E_INVALID, "%.300s is a file, and no profile of cProfile or line_profiler",
                        path);
    hst_error_hint(
        err, "`python -m cProfile -o FILE script.py` makes one; `hasten run %.200s` measures a script", path);
    return HST_E_INVALID;
}
