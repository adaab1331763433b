/* ncurses, wide. Keys come raw, so that Ctrl-C and Ctrl-Z are for hasten and not for a program that it
 * started in the same process group. */
#include "cli/top_screen.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

enum { PAIR_ALERT = 1, PAIR_HOT, PAIR_TITLE };
#define CTRL(letter) ((letter)&0x1f)

enum hst_status hst_top_screen_open(struct hst_top_screen *screen, int colour, struct hst_error *err)
{
    *screen = (struct hst_top_screen){0};
    const char *term = getenv("TERM");
    /* The terminal's own size counts: these would not follow it. */
    (void)unsetenv("LINES");
    (void)unsetenv("COLUMNS");
    SCREEN *terminal = newterm(NULL, stdout, stdin);
    if (terminal == NULL) {
        (void)hst_error_set(err, HST_E_UNSUPPORTED, "the kind of this terminal (TERM=%.60s) is not known",
                            term != NULL ? term : "");
        hst_error_hint(err, "TERM=xterm hasten top ..., or --batch 1");
        return HST_E_UNSUPPORTED;
    }
    screen->terminal = terminal;
    (void)set_term(terminal);
    (void)raw();
    (void)noecho();
    (void)nonl();
    (void)keypad(stdscr, TRUE);
    (void)nodelay(stdscr, TRUE);
    (void)set_escdelay(25);
    (void)curs_set(0);
    (void)scrollok(stdscr, FALSE);
    screen->colour = colour && has_colors() && start_color() == OK;
    if (screen->colour) {
        (void)use_default_colors();
        (void)init_pair(PAIR_ALERT, COLOR_YELLOW, -1);
        (void)init_pair(PAIR_HOT, COLOR_RED, -1);
        (void)init_pair(PAIR_TITLE, COLOR_CYAN, -1);
    }
    return HST_OK;
}

void hst_top_screen_close(struct hst_top_screen *screen)
{
    if (screen->terminal == NULL)
        return;
    (void)endwin();
    delscreen(screen->terminal);
    screen->terminal = NULL;
}

void hst_top_screen_size(int *ret_width, int *ret_height)
{
    *ret_width = COLS > 1 ? COLS : 1;
    *ret_height = LINES > 1 ? LINES : 1;
}

static attr_t attributes_of(const struct hst_top_screen *screen, enum hst_top_ink ink)
{
    attr_t pair = 0;
    switch (ink) {
    case HST_TOP_INK_TITLE:
        pair = COLOR_PAIR(PAIR_TITLE);
        return A_BOLD | (screen->colour ? pair : 0);
    case HST_TOP_INK_ALERT:
        pair = COLOR_PAIR(PAIR_ALERT);
        return A_BOLD | (screen->colour ? pair : 0);
    case HST_TOP_INK_HOT:
        pair = COLOR_PAIR(PAIR_HOT);
        return screen->colour ? pair : A_BOLD;
    case HST_TOP_INK_HEADING:
        return A_UNDERLINE;
    case HST_TOP_INK_REST:
        return A_DIM;
    case HST_TOP_INK_KEYS:
        return A_REVERSE;
    case HST_TOP_INK_PLAIN:
        break;
    }
    return A_NORMAL;
}

void hst_top_screen_draw(const struct hst_top_screen *screen, const struct hst_top_page *page)
{
    (void)erase();
    for (size_t i = 0; i < page->count && i < (size_t)LINES; i++) {
        attr_t attributes = attributes_of(screen, page->lines[i].ink);
        (void)attrset((int)attributes);
        /* A text of wide characters may run over its line: what is below is drawn later. */
        (void)move((int)i, 0);
        (void)clrtoeol();
        (void)addstr(hst_top_page_line(page, i));
        if (page->lines[i].ink == HST_TOP_INK_KEYS || page->lines[i].ink == HST_TOP_INK_HEADING)
            (void)chgat(-1, attributes & ~A_COLOR, 0, NULL);
    }
    (void)attrset(A_NORMAL);
    (void)refresh();
}

static int function_key(wint_t key)
{
    static const struct {
        wint_t key;
        int result;
    } keys[] = {
        {KEY_UP, HST_TOP_KEY_UP},         {KEY_DOWN, HST_TOP_KEY_DOWN},
        {KEY_PPAGE, HST_TOP_KEY_PAGE_UP}, {KEY_NPAGE, HST_TOP_KEY_PAGE_DOWN},
        {KEY_HOME, HST_TOP_KEY_HOME},     {KEY_END, HST_TOP_KEY_END},
        {KEY_ENTER, HST_TOP_KEY_ENTER},   {KEY_BACKSPACE, HST_TOP_KEY_BACKSPACE},
        {KEY_DC, HST_TOP_KEY_BACKSPACE},  {KEY_RESIZE, HST_TOP_KEY_RESIZE},
    };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (keys[i].key == key)
            return keys[i].result;
    return HST_TOP_KEY_OTHER;
}

static int terminal_is_gone(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0 && (input.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

int hst_top_screen_key(void)
{
    wint_t key;
    int kind = get_wch(&key);
    if (kind == ERR)
        return terminal_is_gone() ? HST_TOP_KEY_LOST : HST_TOP_KEY_NONE;
    if (kind == KEY_CODE_YES && key == KEY_RESIZE)
        (void)clearok(stdscr, TRUE); /* what the terminal made of the old picture is its own affair */
    if (kind == KEY_CODE_YES)
        return function_key(key);
    switch (key) {
    case '\r':
    case '\n':
        return HST_TOP_KEY_ENTER;
    case '\b':
    case 0x7f:
        return HST_TOP_KEY_BACKSPACE;
    case 0x1b:
        return HST_TOP_KEY_ESCAPE;
    default:
        return (int)key;
    }
}

void hst_top_screen_suspend(void)
{
    (void)def_prog_mode();
    (void)endwin();
    (void)kill(getpid(), SIGSTOP);
    (void)reset_prog_mode();
    (void)clearok(stdscr, TRUE);
    (void)refresh();
}
