/* Keys -> choices. */
#include "cli/top_keys.h"

#include <limits.h>
#include <string.h>
#include <wchar.h>

#include "cli/top_screen.h"

#define CTRL(letter) ((letter)&0x1f)

static void remove_last_character(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        length--;
    text[length > 0 ? length - 1 : 0] = '\0';
}

static void append_character(char *text, size_t size, int key)
{
    char bytes[MB_LEN_MAX];
    mbstate_t state;
    memset(&state, 0, sizeof state);
    size_t length = strlen(text), more = wcrtomb(bytes, (wchar_t)key, &state);
    if (more == (size_t)-1 || length + more + 1 > size)
        return;
    memcpy(text + length, bytes, more);
    text[length + more] = '\0';
}

static enum hst_top_wish search_key(struct hst_top_choices *choices, int key)
{
    char *search = choices->choice.search;
    switch (key) {
    case HST_TOP_KEY_ESCAPE:
        search[0] = '\0';
        choices->typing = 0;
        break;
    case HST_TOP_KEY_ENTER:
        choices->typing = 0;
        return HST_TOP_WISH_DRAW;
    case HST_TOP_KEY_BACKSPACE:
        remove_last_character(search);
        break;
    default:
        if (key < 0x20 || key >= HST_TOP_KEY_UP)
            return HST_TOP_WISH_DRAW;
        append_character(search, sizeof choices->choice.search, key);
    }
    choices->first_row = 0;
    return HST_TOP_WISH_ARRANGE;
}

static enum hst_top_wish scroll(struct hst_top_choices *choices, long by)
{
    size_t last = choices->row_count > choices->page_rows ? choices->row_count - choices->page_rows : 0;
    size_t back = by < 0 ? (size_t)-by : 0;
    if (by < 0)
        choices->first_row -= back < choices->first_row ? back : choices->first_row;
    else
        choices->first_row = (size_t)by > last || choices->first_row + (size_t)by > last
                                 ? last
                                 : choices->first_row + (size_t)by;
    return HST_TOP_WISH_DRAW;
}

static enum hst_top_wish scroll_key(struct hst_top_choices *choices, int key)
{
    long page = choices->page_rows > 1 ? (long)choices->page_rows - 1 : 1;
    switch (key) {
    case HST_TOP_KEY_UP:
        return scroll(choices, -1);
    case HST_TOP_KEY_DOWN:
        return scroll(choices, 1);
    case HST_TOP_KEY_PAGE_UP:
        return scroll(choices, -page);
    case HST_TOP_KEY_PAGE_DOWN:
        return scroll(choices, page);
    case HST_TOP_KEY_HOME:
        return scroll(choices, -LONG_MAX);
    case HST_TOP_KEY_END:
        return scroll(choices, LONG_MAX);
    case HST_TOP_KEY_RESIZE:
        return HST_TOP_WISH_DRAW;
    default:
        return HST_TOP_WISH_NOTHING;
    }
}

static enum hst_top_wish show(struct hst_top_choices *choices, enum hst_top_view view)
{
    choices->choice.view = view;
    choices->first_row = 0;
    return HST_TOP_WISH_ARRANGE;
}

static enum hst_top_wish next_order(struct hst_top_choices *choices)
{
    struct hst_top_choice *choice = &choices->choice;
    choice->sort = choice->sort == HST_SORT_SELF    ? HST_SORT_TOTAL
                   : choice->sort == HST_SORT_TOTAL ? HST_SORT_NAME
                                                    : HST_SORT_SELF;
    return HST_TOP_WISH_ARRANGE;
}

static enum hst_top_wish letter_key(struct hst_top_choices *choices, int key)
{
    struct hst_top_choice *choice = &choices->choice;
    switch (key) {
    case 'l':
    case 'L':
        return show(choices, choice->view == HST_TOP_LINES ? HST_TOP_FUNCTIONS : HST_TOP_LINES);
    case 't':
    case 'T':
        if (choice->view == HST_TOP_THREADS)
            return show(choices, choices->before_threads);
        choices->before_threads = choice->view;
        return show(choices, HST_TOP_THREADS);
    case 's':
    case 'S':
        return next_order(choices);
    case 'w':
    case 'W':
        choice->window = choice->window == HST_TOP_NOW ? HST_TOP_SINCE : HST_TOP_NOW;
        return HST_TOP_WISH_ARRANGE;
    case 'm':
    case 'M':
        choice->filter.mode = choice->filter.mode == HST_MODE_ALL ? HST_MODE_WALL : choice->filter.mode + 1;
        return HST_TOP_WISH_MAKE;
    case 'f':
    case 'F':
        choice->filter.fold = !choice->filter.fold;
        return HST_TOP_WISH_MAKE;
    case 'p':
    case 'P':
    case ' ':
        choices->frozen = !choices->frozen;
        return choices->frozen ? HST_TOP_WISH_DRAW : HST_TOP_WISH_MAKE;
    case 'r':
    case 'R':
        choices->first_row = 0;
        return HST_TOP_WISH_RESET;
    default:
        return HST_TOP_WISH_NOTHING;
    }
}

enum hst_top_wish hst_top_choices_key(struct hst_top_choices *choices, int key)
{
    if (key == CTRL('c') || key == HST_TOP_KEY_LOST)
        return HST_TOP_WISH_QUIT;
    if (key == CTRL('z'))
        return HST_TOP_WISH_SUSPEND;
    if (choices->help && key != HST_TOP_KEY_RESIZE) {
        choices->help = 0;
        return HST_TOP_WISH_DRAW;
    }
    if (choices->typing && key != HST_TOP_KEY_RESIZE)
        return search_key(choices, key);
    switch (key) {
    case 'q':
    case 'Q':
        return HST_TOP_WISH_QUIT;
    case '?':
    case 'h':
        choices->help = 1;
        return HST_TOP_WISH_DRAW;
    case '/':
        choices->typing = 1;
        return HST_TOP_WISH_DRAW;
    case HST_TOP_KEY_ESCAPE:
        choices->choice.search[0] = '\0';
        return HST_TOP_WISH_ARRANGE;
    default:
        return key >= HST_TOP_KEY_UP ? scroll_key(choices, key) : letter_key(choices, key);
    }
}
