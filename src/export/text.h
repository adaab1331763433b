/* Texts from a target are any bytes; most formats want valid UTF-8 without their own separators. */
#ifndef HST_EXPORT_TEXT_H
#define HST_EXPORT_TEXT_H

#include <stdint.h>

#include "base/buffer.h"
#include "model/profile.h"

#define HST_TEXT_REPLACEMENT 0xfffdu
#define HST_TEXT_REPLACEMENT_UTF8 "\xef\xbf\xbd"

/* The code point at *at, which moves past it; HST_TEXT_REPLACEMENT for a byte that starts no valid sequence
 * (only that byte is passed). Must not be called at the end of the text. */
uint32_t hst_text_next(const char **at);

/* Appends text as valid UTF-8; control characters become spaces, and bytes in forbidden become replacement.
 */
void hst_text_clean(struct hst_buffer *buffer, const char *text, const char *forbidden, char replacement);

/* What a sample without a Python frame is called where a format needs a name. */
#define HST_TEXT_NO_FRAME "<no Python frame>"

#define HST_TEXT_NATIVE_FILE "~" /* as cProfile writes it */
/* A function of C, which has no file and no line (of traced runs). */
int hst_text_is_native(const struct hst_profile *profile, uint32_t function);
/* The file as a person in directory would name it: relative when it is inside, else as it is. */
const char *hst_text_file(const struct hst_profile *profile, uint32_t function, const char *directory);
/* Appends "qualname (file:first line)", of a function of C its name alone, cleaned as above. function
 * HST_ID_NONE: HST_TEXT_NO_FRAME. */
void hst_text_label(struct hst_buffer *buffer, const struct hst_profile *profile, uint32_t function,
                    const char *directory, const char *forbidden, char replacement);
/* Appends "name (pid 7, thread 8)", not cleaned. */
void hst_text_thread(struct hst_buffer *buffer, const struct hst_profile *profile, uint32_t thread);

#endif
