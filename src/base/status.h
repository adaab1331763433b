/* The one way in which a function says how it went: a status to test and, where a person will want to know
 * more, an error that carries a sentence.  Knows nothing of processes or Python. */
#ifndef HST_BASE_STATUS_H
#define HST_BASE_STATUS_H

enum hst_status {
    HST_OK = 0,
    HST_E_NOMEM,       /* an allocation failed or a stated limit was reached */
    HST_E_IO,          /* the system refused a read or a write */
    HST_E_GONE,        /* the process, thread or object is no longer there */
    HST_E_PERM,        /* not allowed */
    HST_E_NOENT,       /* no such file, run, process */
    HST_E_INVALID,     /* input that cannot be right: an option, a file, a structure */
    HST_E_UNSUPPORTED, /* understood, and not something that can be done here */
    HST_E_TORN,        /* the target changed while it was read; try again */
    HST_E_BUSY,        /* locked by another */
    HST_E_CORRUPT,     /* a file of ours that does not hold together */
    HST_E_READONLY,    /* a store that cannot be written */
    HST_E_FULL,        /* no space left */
    HST_E_NEWER,       /* written by a newer version */
    HST_E_INTERRUPTED, /* a signal asked to stop */
};

/* Every function that returns a status wants it looked at; (void) says that ignoring it is meant. */
#define HST_MUST_CHECK __attribute__((warn_unused_result))
#define HST_PRINTF(fmt_index, arg_index) __attribute__((format(printf, fmt_index, arg_index)))

struct hst_error {
    enum hst_status status;
    char text[480]; /* what happened, one sentence without the full stop */
    char hint[480]; /* what to try next; may be empty */
};

/* Both accept err == NULL.  Return status, so that a caller can write `return hst_error_set(...)`. */
enum hst_status hst_error_set(struct hst_error *err, enum hst_status status, const char *fmt, ...)
    HST_PRINTF(3, 4);
void hst_error_hint(struct hst_error *err, const char *fmt, ...) HST_PRINTF(2, 3);

/* The status that an errno value stands for. */
enum hst_status hst_status_from_errno(int error_number);
const char *hst_status_name(enum hst_status status);

#define HST_TRY(expression)                                                                                  \
    do {                                                                                                     \
        enum hst_status hst_try_status_ = (expression);                                                      \
        if (hst_try_status_ != HST_OK)                                                                       \
            return hst_try_status_;                                                                          \
    } while (0)

#endif
