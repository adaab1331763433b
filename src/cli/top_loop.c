/* The screen: news come in and are drawn, keys change what is shown. Drawing takes at most a tenth of the
 * time, however large the tables are. */
#include "cli/top_show.h"

#include <unistd.h>

#include "base/clock.h"
#include "cli/top_screen.h"

#define IDLE_SHARE 9 /* time left to others for each time that making figures took */

struct loop {
    struct hst_top_show *show;
    struct hst_top_screen screen;
    struct hst_top_page page;
    int stale;             /* there are news that were not made into figures */
    uint64_t next_make_ns; /* not earlier than that */
    int over;              /* the measurement's end was shown */
};

static enum hst_status draw(struct loop *loop, struct hst_error *err)
{
    struct hst_top_show *show = loop->show;
    struct hst_top_live *live = &show->top->live;
    struct hst_style style = *show->scene.style;
    int height;
    hst_top_screen_size(&style.width, &height);
    struct hst_top_scene scene = show->scene;
    struct hst_top_choices *choices = &show->choices;
    scene.style = &style;
    scene.height = (size_t)height;
    scene.frozen = choices->frozen;
    scene.help = choices->help;
    scene.typing = choices->typing;
    (void)pthread_mutex_lock(&live->lock);
    if (show->table.renewals != live->renewals) /* its ids are of tables that are gone */
        hst_top_table_release(&show->table);
    if (choices->first_row >= show->table.shown_count)
        choices->first_row = show->table.shown_count > 0 ? show->table.shown_count - 1 : 0;
    scene.first_row = choices->first_row;
    enum hst_status status = hst_top_page_fill(&loop->page, &scene, live, &show->table, &choices->choice);
    (void)pthread_mutex_unlock(&live->lock);
    if (status != HST_OK)
        return hst_error_set(err, status, "out of memory");
    if (!scene.help) {
        choices->page_rows = loop->page.rows;
        choices->row_count = show->table.shown_count;
    }
    hst_top_screen_draw(&loop->screen, &loop->page);
    return HST_OK;
}

/* Figures by another filter, of the picture that is shown. */
static enum hst_status remake(struct loop *loop, int only_order, struct hst_error *err)
{
    struct hst_top_show *show = loop->show;
    struct hst_top_live *live = &show->top->live;
    (void)pthread_mutex_lock(&live->lock);
    enum hst_status status = HST_OK;
    if (show->table.renewals != live->renewals)
        hst_top_table_release(&show->table);
    else if (only_order)
        status = hst_top_table_arrange(&show->table, &live->profile, &show->choices.choice);
    else
        status = hst_top_table_make(&show->table, &live->profile, &show->choices.choice, err);
    (void)pthread_mutex_unlock(&live->lock);
    return status == HST_OK ? HST_OK : hst_error_set(err, status, "out of memory");
}

static enum hst_status refresh_figures(struct loop *loop, struct hst_error *err)
{
    uint64_t begin = hst_now_ns();
    enum hst_status status = hst_top_show_refresh(loop->show, err);
    uint64_t end = hst_now_ns();
    loop->next_make_ns = end + (end - begin) * IDLE_SHARE;
    loop->stale = 0;
    return status;
}

static enum hst_status obey(struct loop *loop, enum hst_top_wish wish, struct hst_error *err)
{
    struct hst_top_show *show = loop->show;
    switch (wish) {
    case HST_TOP_WISH_ARRANGE:
        return remake(loop, 1, err);
    case HST_TOP_WISH_MAKE:
        return remake(loop, 0, err);
    case HST_TOP_WISH_RESET:
        show->choices.frozen = 0;
        (void)pthread_mutex_lock(&show->top->live.lock);
        if (!loop->over)
            hst_top_live_reset(&show->top->live);
        (void)pthread_mutex_unlock(&show->top->live.lock);
        return refresh_figures(loop, err);
    case HST_TOP_WISH_SUSPEND:
        hst_top_screen_suspend();
        return HST_OK;
    case HST_TOP_WISH_QUIT:
        show->interrupted = 1;
        return HST_OK;
    case HST_TOP_WISH_NOTHING:
    case HST_TOP_WISH_DRAW:
        break;
    }
    return HST_OK;
}

/* All keys that were pressed; *ret_draw: the screen has to change. */
static enum hst_status take_keys(struct loop *loop, int *ret_draw, struct hst_error *err)
{
    for (int key; (key = hst_top_screen_key()) != HST_TOP_KEY_NONE && !loop->show->interrupted;) {
        enum hst_top_wish wish = hst_top_choices_key(&loop->show->choices, key);
        *ret_draw |= wish != HST_TOP_WISH_NOTHING;
        HST_TRY(obey(loop, wish, err));
    }
    return HST_OK;
}

static void notice_end(struct loop *loop)
{
    struct hst_top_show *show = loop->show;
    loop->over = 1;
    hst_top_show_end(show);
    if (show->top->end == HST_END_INTERRUPTED || show->top->status != HST_OK)
        show->interrupted = 1;
    show->choices.choice.window = HST_TOP_SINCE; /* there is no "now" any more */
    loop->stale = 1;
    loop->next_make_ns = 0;
}

static int timeout_ms(const struct loop *loop)
{
    if (!loop->stale || loop->show->choices.frozen)
        return -1;
    uint64_t now = hst_now_ns();
    return now >= loop->next_make_ns ? 0 : (int)((loop->next_make_ns - now) / 1000000u) + 1;
}

static enum hst_status look(struct loop *loop, struct hst_error *err)
{
    loop->stale = 1; /* news may have been taken before */
    HST_TRY(draw(loop, err));
    while (!loop->show->interrupted) {
        int news, drawn = 0;
        int ended = !loop->over && atomic_load(&loop->show->top->done);
        hst_top_show_wait(loop->show, 1, ended ? 0 : timeout_ms(loop), &news);
        loop->stale |= news;
        if (!loop->over && atomic_load(&loop->show->top->done)) {
            notice_end(loop);
            drawn = 1;
        }
        int was_frozen = loop->show->choices.frozen;
        HST_TRY(take_keys(loop, &drawn, err));
        loop->stale |= was_frozen && !loop->show->choices.frozen;
        if (loop->stale && !loop->show->choices.frozen && hst_now_ns() >= loop->next_make_ns) {
            HST_TRY(refresh_figures(loop, err));
            drawn = 1;
        }
        if (drawn && !loop->show->interrupted)
            HST_TRY(draw(loop, err));
    }
    return HST_OK;
}

enum hst_status hst_top_show_screen(struct hst_top_show *show, int colour, struct hst_error *err)
{
    struct loop loop = {.show = show};
    HST_TRY(hst_top_screen_open(&loop.screen, colour, err));
    hst_top_page_init(&loop.page);
    enum hst_status status = look(&loop, err);
    hst_top_page_release(&loop.page);
    hst_top_screen_close(&loop.screen);
    return status;
}
