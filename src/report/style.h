/* How a text may look where it will be read: set once by the caller who knows the terminal, obeyed by every
 * table and bar. */
#ifndef HST_REPORT_STYLE_H
#define HST_REPORT_STYLE_H

struct hst_style {
    int colour; /* escape sequences are welcome */
    int utf8;   /* bars and signs outside ASCII are welcome */
    int width;  /* columns of a line */
};

#define HST_STYLE_WIDTH_DEFAULT 100

enum hst_ink {
    HST_INK_RESET,
    HST_INK_BOLD,
    HST_INK_DIM,
    HST_INK_RED,
    HST_INK_GREEN,
    HST_INK_YELLOW,
    HST_INK_CYAN
};
/* The escape sequence, or "" where the style has no colour. */
const char *hst_ink(const struct hst_style *style, enum hst_ink ink);

#endif
