/* Buffers and writes an export. */
#include "export/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/memory.h"
#include "export/text.h"

enum { PENDING_BYTES = 64 * 1024, GZIP_MEMBER = 15 + 16 /* zlib: largest window, gzip wrapping */ };

static void fail(struct hst_output *output, enum hst_status status)
{
    if (output->status == HST_OK) {
        output->status = status;
        output->failed_errno = errno;
    }
}

static void write_out(struct hst_output *output, const void *data, size_t length)
{
    if (output->status != HST_OK)
        return;
    enum hst_status status = hst_fd_write_all(output->fd, data, length);
    if (status != HST_OK)
        fail(output, status);
    output->bytes += length;
}

static void deflate_out(struct hst_output *output, const uint8_t *data, size_t length, int flush)
{
    z_stream *stream = output->gzip;
    uint8_t block[16384];
    stream->next_in = (Bytef *)(uintptr_t)data; /* zlib does not write there; its type predates const */
    stream->avail_in = (uInt)length;
    do {
        stream->next_out = block;
        stream->avail_out = sizeof block;
        if (deflate(stream, flush) == Z_STREAM_ERROR) {
            fail(output, HST_E_INVALID);
            return;
        }
        write_out(output, block, sizeof block - stream->avail_out);
    } while (stream->avail_out == 0 && output->status == HST_OK);
}

static void flush(struct hst_output *output, int last)
{
    if (output->pending.failed)
        fail(output, HST_E_NOMEM);
    if (output->gzip != NULL)
        deflate_out(output, output->pending.data, output->pending.length, last ? Z_FINISH : Z_NO_FLUSH);
    else
        write_out(output, output->pending.data, output->pending.length);
    hst_buffer_clear(&output->pending);
}

static enum hst_status open_failed(const char *path, struct hst_error *err)
{
    enum hst_status status =
        hst_error_set(err, hst_status_from_errno(errno), "cannot write %s: %s", path, strerror(errno));
    hst_error_hint(err, "name another file with -o FILE, or -o - for standard output");
    return status;
}

enum hst_status hst_output_open(struct hst_output *output, const char *path, struct hst_error *err)
{
    *output = (struct hst_output){.fd = -1};
    hst_buffer_init(&output->pending, 0);
    if (strcmp(path, "-") == 0) {
        output->fd = STDOUT_FILENO;
        return HST_OK;
    }
    struct stat info;
    int special =
        stat(path, &info) == 0 && !S_ISREG(info.st_mode); /* a pipe or device: no rename over those */
    output->path = hst_strdup(path);
    if (!special)
        output->temporary = hst_asprintf("%s.%ld.tmp", path, (long)getpid());
    if (output->path == NULL || (!special && output->temporary == NULL)) {
        hst_output_release(output);
        return hst_error_set(err, HST_E_NOMEM, "out of memory");
    }
    output->fd = open(special ? path : output->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (output->fd < 0) {
        enum hst_status status = open_failed(path, err);
        hst_free(output->temporary);
        output->temporary = NULL;
        hst_output_release(output);
        return status;
    }
    return HST_OK;
}

enum hst_status hst_output_probe(const char *path, struct hst_error *err)
{
    struct stat info;
    if (strcmp(path, "-") != 0 && stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        /* Opening a pipe would wait for its reader. */
        int writable = !S_ISDIR(info.st_mode) && access(path, W_OK) == 0;
        if (S_ISDIR(info.st_mode))
            errno = EISDIR;
        return writable ? HST_OK : open_failed(path, err);
    }
    struct hst_output output;
    HST_TRY(hst_output_open(&output, path, err));
    hst_output_release(&output);
    return HST_OK;
}

enum hst_status hst_output_compress(struct hst_output *output)
{
    flush(output, 0);
    z_stream *stream = hst_alloc_zero(1, sizeof *stream);
    if (stream == NULL ||
        deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_MEMBER, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        hst_free(stream);
        return HST_E_NOMEM;
    }
    output->gzip = stream;
    return HST_OK;
}

enum hst_status hst_output_commit(struct hst_output *output, struct hst_error *err)
{
    flush(output, 1);
    const char *name = output->path != NULL ? output->path : "standard output";
    if (output->status == HST_OK && output->path != NULL) {
        if (close(output->fd) != 0 ||
            (output->temporary != NULL && rename(output->temporary, output->path) != 0))
            fail(output, hst_status_from_errno(errno));
        output->fd = -1;
        if (output->status == HST_OK) {
            hst_free(output->temporary);
            output->temporary = NULL;
        }
    }
    if (output->status == HST_OK)
        return HST_OK;
    const char *why =
        output->status == HST_E_NOMEM ? hst_status_name(output->status) : strerror(output->failed_errno);
    return hst_error_set(err, output->status, "cannot write %s: %s", name, why);
}

void hst_output_release(struct hst_output *output)
{
    if (output->gzip != NULL)
        (void)deflateEnd(output->gzip);
    hst_free(output->gzip);
    if (output->path != NULL && output->fd >= 0)
        (void)close(output->fd);
    if (output->temporary != NULL)
        (void)unlink(output->temporary);
    hst_free(output->path);
    hst_free(output->temporary);
    hst_buffer_release(&output->pending);
    *output = (struct hst_output){.fd = -1};
}

void hst_output_add(struct hst_output *output, const void *data, size_t length)
{
    if (output->status != HST_OK) /* nothing more will come out: do not gather it */
        return;
    hst_buffer_add(&output->pending, data, length);
    if (output->pending.length >= PENDING_BYTES || output->pending.failed)
        flush(output, 0);
}

void hst_output_buffer(struct hst_output *output, const struct hst_buffer *buffer)
{
    if (buffer->failed)
        fail(output, HST_E_NOMEM);
    else
        hst_output_add(output, buffer->data, buffer->length);
}

void hst_output_text(struct hst_output *output, const char *text)
{
    hst_output_add(output, text, strlen(text));
}

void hst_output_fmt(struct hst_output *output, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    /* For short pieces only: texts from a target go through the functions above. */
    if (length < 0 || (size_t)length >= sizeof text)
        fail(output, HST_E_INVALID);
    else
        hst_output_add(output, text, (size_t)length);
}

void hst_output_u64(struct hst_output *output, uint64_t value) { hst_output_decimal(output, value, 0); }

void hst_output_decimal(struct hst_output *output, uint64_t value, unsigned places)
{
    char digits[24];
    char *at = digits + sizeof digits;
    unsigned written = 0;
    do {
        if (places != 0 && written == places)
            *--at = '.';
        *--at = (char)('0' + value % 10);
        value /= 10;
        written++;
    } while (value != 0 || (places != 0 && written <= places));
    hst_output_add(output, at, (size_t)(digits + sizeof digits - at));
}

void hst_output_json(struct hst_output *output, const char *text)
{
    hst_output_add(output, "\"", 1);
    const char *at = text;
    while (*at != '\0') {
        const char *start = at;
        uint32_t point = hst_text_next(&at);
        if (point == '"' || point == '\\') {
            char escaped[2] = {'\\', (char)point};
            hst_output_add(output, escaped, 2);
        } else if (point < 0x20 || point == 0x7f) {
            hst_output_fmt(output, "\\u%04x", (unsigned)point);
        } else if (point == HST_TEXT_REPLACEMENT) {
            hst_output_text(output, HST_TEXT_REPLACEMENT_UTF8);
        } else {
            hst_output_add(output, start, (size_t)(at - start));
        }
    }
    hst_output_add(output, "\"", 1);
}
