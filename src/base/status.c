/* Turns what went wrong into a status and a sentence. */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum hst_status hst_error_set(struct hst_error *err, enum hst_status status, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        err->status = status;
        err->hint[0] = '\0';
        (void)vsnprintf(err->text, sizeof err->text, fmt, args);
        va_end(args);
    }
    return status;
}

void hst_error_hint(struct hst_error *err, const char *fmt, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(err->hint, sizeof err->hint, fmt, args);
        va_end(args);
    }
}

enum hst_status hst_status_from_errno(int error_number)
{
    switch (error_number) {
    case 0:
        return HST_OK;
    case ENOMEM:
        return HST_E_NOMEM;
    case ESRCH:
        return HST_E_GONE;
    case EPERM:
    case EACCES:
        return HST_E_PERM;
    case ENOENT:
    case ENOTDIR:
        return HST_E_NOENT;
    case EROFS:
        return HST_E_READONLY;
    case ENOSPC:
    case EDQUOT:
        return HST_E_FULL;
    case EBUSY:
        return HST_E_BUSY;
    case EINTR:
        return HST_E_INTERRUPTED;
    case EINVAL:
        return HST_E_INVALID;
    default:
        return HST_E_IO;
    }
}

const char *hst_status_name(enum hst_status status)
{
    static const char *const names[] = {
        [HST_OK] = "ok",
        [HST_E_NOMEM] = "out of memory",
        [HST_E_IO] = "input/output error",
        [HST_E_GONE] = "gone",
        [HST_E_PERM] = "not permitted",
        [HST_E_NOENT] = "not found",
        [HST_E_INVALID] = "invalid",
        [HST_E_UNSUPPORTED] = "unsupported",
        [HST_E_TORN] = "torn",
        [HST_E_BUSY] = "busy",
        [HST_E_CORRUPT] = "corrupt",
        [HST_E_READONLY] = "read-only",
        [HST_E_FULL] = "no space left",
        [HST_E_NEWER] = "written by a newer version",
        [HST_E_INTERRUPTED] = "interrupted",
    };
    unsigned i = (unsigned)status;
    return i < sizeof names / sizeof names[0] && names[i] != NULL ? names[i] : "unknown";
}
