/* Colours as escape sequences. */
#include "report/style.h"

const char *hst_ink(const struct hst_style *style, enum hst_ink ink)
{
    static const char *const sequences[] = {
        [HST_INK_RESET] = "\033[0m", [HST_INK_BOLD] = "\033[1m",   [HST_INK_DIM] = "\033[2m",
        [HST_INK_RED] = "\033[31m",  [HST_INK_GREEN] = "\033[32m", [HST_INK_YELLOW] = "\033[33m",
        [HST_INK_CYAN] = "\033[36m",
    };
    return style->colour ? sequences[ink] : "";
}
