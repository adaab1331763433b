/* Where an export goes: bytes -> a buffer -> (gzip) -> a file that appears whole under its name, or standard
 * output. Failures stick: a writer adds without looking and asks once, at hst_output_commit. */
#ifndef HST_EXPORT_OUTPUT_H
#define HST_EXPORT_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

struct hst_output {
    int fd, failed_errno;
    char *path, *temporary; /* both NULL: standard output; temporary NULL: written in place */
    struct hst_buffer pending;
    void *gzip; /* z_stream, NULL = plain */
    uint64_t bytes;
    enum hst_status status; /* the first failure */
};

/* "-" is standard output. A regular file is written beside its place and renamed at the commit. */
enum hst_status hst_output_open(struct hst_output *output, const char *path,
                                struct hst_error *err) HST_MUST_CHECK;
/* Whether it could be opened; leaves everything as it is. */
enum hst_status hst_output_probe(const char *path, struct hst_error *err) HST_MUST_CHECK;
/* What is added from now on is compressed, as one gzip member. */
enum hst_status hst_output_compress(struct hst_output *output) HST_MUST_CHECK;
/* Writes what is pending and puts the file in its place; the error of any earlier write comes out here. */
enum hst_status hst_output_commit(struct hst_output *output, struct hst_error *err) HST_MUST_CHECK;
/* Without a commit before it, nothing is left behind. */
void hst_output_release(struct hst_output *output);

void hst_output_add(struct hst_output *output, const void *data, size_t length);
/* The bytes of a buffer; if it failed, so does the output: clearing the buffer afterwards loses nothing. */
void hst_output_buffer(struct hst_output *output, const struct hst_buffer *buffer);
void hst_output_text(struct hst_output *output, const char *text);
void hst_output_fmt(struct hst_output *output, const char *fmt, ...) HST_PRINTF(2, 3);
void hst_output_u64(struct hst_output *output, uint64_t value); /* decimal */
/* value / 10^places in decimal, exact: 1234567 with 3 places is 1234.567. */
void hst_output_decimal(struct hst_output *output, uint64_t value, unsigned places);
/* A JSON string with its quotes. Bytes that are no UTF-8 (lone surrogates too) become U+FFFD. */
void hst_output_json(struct hst_output *output, const char *text);

#endif
