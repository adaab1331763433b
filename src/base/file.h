/* Whole files: read into memory with a limit, written so that a reader sees the old one or the new one. */
#ifndef HST_BASE_FILE_H
#define HST_BASE_FILE_H

#include "base/buffer.h"
#include "base/status.h"

/* Appends the file's bytes to buffer (whose limit bounds it). Works for /proc, whose sizes say 0. */
enum hst_status hst_file_read(const char *path, struct hst_buffer *buffer) HST_MUST_CHECK;
enum hst_status hst_fd_read_all(int fd, struct hst_buffer *buffer) HST_MUST_CHECK;
/* "-" is standard output.  Otherwise a temporary file beside path, renamed over it. */
enum hst_status hst_file_write(const char *path, const void *data, size_t length,
                               struct hst_error *err) HST_MUST_CHECK;
/* write(2) until all of it is out. */
enum hst_status hst_fd_write_all(int fd, const void *data, size_t length) HST_MUST_CHECK;

#endif
