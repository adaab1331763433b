/* Allocation with a limit and with cleanup by scope.  All memory of hasten comes from here, so that a test
 * can make the n-th allocation fail (HST_FAIL_ALLOC in a fault-injection build). */
#ifndef HST_BASE_MEMORY_H
#define HST_BASE_MEMORY_H

#include <stddef.h>

/* As malloc, calloc and realloc of count * size bytes; NULL when there is none or the product overflows. */
void *hst_alloc(size_t count, size_t size);
void *hst_alloc_zero(size_t count, size_t size);
void *hst_realloc(void *old, size_t count, size_t size);
/* NULL is accepted. */
void hst_free(void *memory);
char *hst_strdup(const char *text);
char *hst_strndup(const char *text, size_t length);
/* A formatted string of its own, or NULL. */
char *hst_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Grows *items (of item_size) so that needed of them fit, at least doubling; false when memory is out. */
int hst_reserve(void **items, size_t *capacity, size_t needed, size_t item_size);
#define HST_RESERVE(items, capacity, needed)                                                                 \
    hst_reserve((void **)&(items), &(capacity), (needed), sizeof *(items))

void hst_cleanup_free_(void *pointer_to_pointer);
void hst_cleanup_fd_(int *fd);
void hst_cleanup_file_(void *pointer_to_file);
void hst_cleanup_dir_(void *pointer_to_dir);

#define HST_CLEANUP(function) __attribute__((cleanup(function)))
#define HST_CLEANUP_FREE HST_CLEANUP(hst_cleanup_free_)
#define HST_CLEANUP_FD HST_CLEANUP(hst_cleanup_fd_)
#define HST_CLEANUP_FILE HST_CLEANUP(hst_cleanup_file_)
#define HST_CLEANUP_DIR HST_CLEANUP(hst_cleanup_dir_)

/* Hands ownership of a variable with a cleanup attribute to the caller. */
#define HST_TAKE(pointer)                                                                                    \
    __extension__({                                                                                          \
        __typeof__(pointer) hst_taken_ = (pointer);                                                          \
        (pointer) = NULL;                                                                                    \
        hst_taken_;                                                                                          \
    })

#define HST_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
