/* The terminal: pages go in, keys come out, and it is put back as it was whatever happens. */
#ifndef HST_CLI_TOP_SCREEN_H
#define HST_CLI_TOP_SCREEN_H

#include "base/status.h"
#include "report/top_text.h"

/* Keys that are more than a character have the numbers of enum hst_top_key. */
enum hst_top_key {
    HST_TOP_KEY_NONE = -1,
    HST_TOP_KEY_UP = 0x110000, /* beyond every character */
    HST_TOP_KEY_DOWN,
    HST_TOP_KEY_PAGE_UP,
    HST_TOP_KEY_PAGE_DOWN,
    HST_TOP_KEY_HOME,
    HST_TOP_KEY_END,
    HST_TOP_KEY_ENTER,
    HST_TOP_KEY_BACKSPACE,
    HST_TOP_KEY_ESCAPE,
    HST_TOP_KEY_RESIZE,
    HST_TOP_KEY_LOST, /* the terminal is gone */
    HST_TOP_KEY_OTHER,
};

struct hst_top_screen {
    void *terminal;
    int colour;
};

/* There is one screen at a time. */
enum hst_status hst_top_screen_open(struct hst_top_screen *screen, int colour,
                                    struct hst_error *err) HST_MUST_CHECK;
void hst_top_screen_close(struct hst_top_screen *screen);
void hst_top_screen_size(int *ret_width, int *ret_height);
void hst_top_screen_draw(const struct hst_top_screen *screen, const struct hst_top_page *page);
/* The next key that was pressed, never waiting; a character, or one of enum hst_top_key. */
int hst_top_screen_key(void);
/* Ctrl-Z: gives the terminal back and stops until the shell lets hasten go on. */
void hst_top_screen_suspend(void);

#endif
