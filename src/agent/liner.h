/* Lines of chosen functions -> hits and times, in the arena.  Each event reads the clock once: the time since
 * the one before is self time of the line in which the innermost chosen function was.  A line's total is the
 * time from when it is begun until another line of the same call is, or the call is left or stands still:
 * with all that it calls, and once only when it is begun again inside that (recursion). */
#ifndef HST_AGENT_LINER_H
#define HST_AGENT_LINER_H

#include "agent/arena.h"
#include "agent/python.h"
#include "base/map.h"
#include "base/ticks.h"

/* A chosen function, as one thread has met it. */
struct hst_line_code {
    PyObject *code;
    uint32_t function, first_line;
    int generator;
    uint32_t page_count;
    struct hst_agent_line **pages; /* of HST_AGENT_PAGE_LINES each; NULL: no line of it was met */
};

/* A call of a chosen function that is under way. */
struct hst_line_frame {
    struct hst_line_code *lines;
    struct hst_agent_line *line; /* the current one */
    const void *frame;           /* the interpreter's, where the back end knows it */
    int nested;                  /* the line was under way already, further out */
};

struct hst_liner {
    uint32_t generation; /* of the arena */
    int busy;
    unsigned entered; /* how often more than left */
    uint64_t last_ticks;
    struct hst_line_frame *frames;
    size_t depth, capacity;
    struct hst_map codes; /* code -> index in known, UINT32_MAX - 1: not chosen */
    struct hst_line_code **known;
    size_t known_count, known_capacity;
    unsigned selection_version; /* that those not chosen were judged by */
    uint32_t chunk;
    struct hst_agent_line nowhere; /* time before a call's first line */
};

extern __thread struct hst_liner hst_liner_of_thread __attribute__((tls_model("initial-exec")));
extern int hst_liner_on;
extern int hst_liner_scoped; /* lines count only in threads that have entered */

/* The calling thread's; NULL: the agent itself is at work, or there is no arena. */
struct hst_liner *hst_liner_self(void);
/* NULL: the function is not chosen (or there is no room). */
struct hst_line_code *hst_liner_code(struct hst_liner *liner, PyObject *code);
/* The line's cell, made when there is none. */
struct hst_agent_line *hst_liner_line(struct hst_liner *liner, struct hst_line_code *lines, uint32_t line);
/* A call begins or goes on after a yield (frame names it then; may be NULL). 0: no room. */
int hst_liner_push(struct hst_liner *liner, struct hst_line_code *lines, const void *frame, int resumed);
/* The innermost call ends or yields. */
void hst_liner_pop(struct hst_liner *liner, int yields);
/* The call that a line of code belongs to: the innermost of that function; those inside it have ended unseen,
 * and one that began unseen begins here. NULL: the function is not chosen. */
struct hst_line_frame *hst_liner_find(struct hst_liner *liner, PyObject *code, const void *frame);
/* What the calling thread has met so far counts for nothing. */
void hst_liner_discard(void);
/* From here up to as many leaves lines of the calling thread count. 1: the first enter, the last leave. */
int hst_liner_enter(void);
int hst_liner_leave(void);
/* In a child after fork. */
void hst_liner_forked(void);

static inline struct hst_line_frame *hst_liner_top(struct hst_liner *liner)
{
    return liner->depth > 0 ? &liner->frames[liner->depth - 1] : NULL;
}

static inline void hst_liner_tick(struct hst_liner *liner, struct hst_line_frame *top, uint64_t now)
{
    top->line->self_ticks += now - liner->last_ticks;
    liner->last_ticks = now;
}

static inline void hst_liner_close(struct hst_line_frame *top, uint64_t now)
{
    if (!top->nested) {
        top->line->total_ticks += now - top->line->open_ticks;
        top->line->open_ticks = 0;
    }
}

static inline void hst_liner_open(struct hst_line_frame *top, struct hst_agent_line *line, uint64_t now)
{
    top->line = line;
    top->nested = line->open_ticks != 0;
    if (!top->nested)
        line->open_ticks = now;
}

/* The innermost call comes to a line. */
static inline void hst_liner_hit(struct hst_liner *liner, struct hst_line_frame *top, uint32_t number)
{
    struct hst_line_code *lines = top->lines;
    uint32_t index = number - lines->first_line, page = index / HST_AGENT_PAGE_LINES;
    struct hst_agent_line *line;
    uint64_t now = hst_ticks();
    hst_liner_tick(liner, top, now);
    hst_liner_close(top, now);
    if (__builtin_expect(page < lines->page_count && lines->pages[page] != NULL, 1)) {
        line = &lines->pages[page][index % HST_AGENT_PAGE_LINES];
    } else {
        line = hst_liner_line(liner, lines, number);
        now = liner->last_ticks = hst_ticks(); /* what that took is nobody's time */
    }
    line->hits++;
    hst_liner_open(top, line, now);
}

#endif
