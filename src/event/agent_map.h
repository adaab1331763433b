/* What the agent inside a program and hasten outside share: one file a process, mapped by the agent from its
 * first moment, so that it is whole up to the last event whatever ends the program.
 *
 * The file is an array of chunks; a chunk is an array of slots of 64 bytes, and its first slot says what the
 * others hold. A slot's number (its offset in the file / 64) is how rows name each other; 0 means none.
 * The agent only ever adds; a reader may look at any moment, and must not believe what it reads. */
#ifndef HST_EVENT_AGENT_MAP_H
#define HST_EVENT_AGENT_MAP_H

#include <stddef.h>
#include <stdint.h>

#define HST_AGENT_MAGIC "hst-map1"
#define HST_AGENT_SLOT_BYTES 64u
#define HST_AGENT_CHUNK_BYTES 65536u
#define HST_AGENT_CHUNK_SLOTS (HST_AGENT_CHUNK_BYTES / HST_AGENT_SLOT_BYTES)
#define HST_AGENT_FILE_ENDING ".map"
/* How hasten tells the agent what to do: words "key=value" apart by ';' (agent/order.h). */
#define HST_AGENT_VARIABLE "HASTEN_AGENT"

enum hst_agent_chunk_kind {
    HST_AGENT_CHUNK_NONE = 0, /* not in use yet */
    HST_AGENT_CHUNK_HEADER = 1,
    HST_AGENT_CHUNK_CONTEXTS = 2,
    HST_AGENT_CHUNK_FUNCTIONS = 3,
    HST_AGENT_CHUNK_THREADS = 4,
    HST_AGENT_CHUNK_LINES = 5,
    HST_AGENT_CHUNK_EVENTS = 6,
    HST_AGENT_CHUNK_EMPTIED = 7, /* was EVENTS: hasten has taken what it held, it may be used again */
    HST_AGENT_CHUNK_GONE = 8,    /* the same, but hasten gave its pages back: it is never used again */
};

/* The first slot of every chunk. */
struct hst_agent_chunk {
    uint32_t kind;
    uint32_t thread; /* CONTEXTS: slot of the thread that they belong to */
    uint32_t used;   /* slots in use, this one included; grows only after they are filled in */
    uint32_t reserved[13];
};

enum hst_agent_clock {
    HST_AGENT_CLOCK_SYSTEM = 0 /* ticks are ns of CLOCK_MONOTONIC */,
    HST_AGENT_CLOCK_TSC = 1
};
enum hst_agent_backend {
    HST_AGENT_BACKEND_NONE = 0, /* not begun */
    HST_AGENT_BACKEND_MONITORING = 1,
    HST_AGENT_BACKEND_PROFILE = 2,
    HST_AGENT_BACKEND_FRAMES = 3,
    HST_AGENT_BACKEND_LINE_MONITORING = 4,
    HST_AGENT_BACKEND_LINE_TRACE = 5,
    HST_AGENT_BACKEND_BOTH_HOOKS = 6,
    HST_AGENT_BACKEND_COUNT
};
enum hst_agent_state {
    HST_AGENT_IDLE = 0,
    HST_AGENT_TRACING = 1,
    HST_AGENT_ENDED = 2,
    HST_AGENT_FAILED = 3,
    HST_AGENT_PAUSED = 4,
};
/* What calls of a kind cost by being traced: HST_AGENT_CALLER of it is measured as time of the caller. QUIET:
 * of functions of Python in a quiet context. */
enum hst_agent_cost { HST_AGENT_CALLER, HST_AGENT_CALLEE, HST_AGENT_COST_COUNT };
enum hst_agent_kind {
    HST_AGENT_PYTHON,
    HST_AGENT_C,
    HST_AGENT_C_METHOD,
    HST_AGENT_QUIET,
    HST_AGENT_KIND_COUNT
};

struct hst_agent_header {
    struct hst_agent_chunk chunk;
    char magic[8];
    uint32_t pid, parent_pid;
    uint32_t clock, backend, state;
    uint32_t python_only;
    uint64_t start_ticks, start_ns; /* one moment, by both clocks */
    uint64_t end_ticks;             /* ENDED: when */
    uint64_t lost_contexts;         /* calls whose context could not be kept: no memory left */
    uint64_t lost_suspensions;      /* stretches of waiting of generators that were not kept */
    uint32_t hook_taken;            /* another tool took the hook away so many times */
    uint32_t reserved;
    double cost_ticks[HST_AGENT_KIND_COUNT][HST_AGENT_COST_COUNT];
    double slowing; /* code of Python between calls takes 1 + slowing times as long, but in quiet contexts */
    double line_cost_ticks; /* what a line costs by being watched */
    uint64_t lost_events;   /* of timelines: hasten did not take the full chunks fast enough */
    uint32_t events_taken;  /* hasten's: chunks of events that it has made EMPTIED or GONE, ever */
    uint32_t has_timeline;
    uint64_t paused_ticks, resumed_ticks; /* the last time; 0: never */
    char interpreter[64];
    char failure[256]; /* FAILED: why, one sentence */
    char executable[1024];
    char command[1024];
};

enum hst_agent_function_flag {
    HST_AGENT_FUNCTION_C = 1,
    HST_AGENT_FUNCTION_GENERATOR = 2, /* coroutines are, too */
    HST_AGENT_FUNCTION_COROUTINE = 4,
    HST_AGENT_FUNCTION_TASK = 8,    /* no function: a named task (agent/tasks.h) */
    HST_AGENT_FUNCTION_METHOD = 16, /* with C: a method of a type */
    HST_AGENT_QUIET_CONTEXT = 64,   /* of a context: its code is not slowed (agent/quiet.h) */
    HST_AGENT_UNDER_TASK = 32,      /* of a context: leaving it leaves the task that it is in, too */
};
#define HST_AGENT_DEPTH_SHIFT 8 /* of a context's flags: how deep it is; the root has 0 */
static inline uint32_t hst_agent_depth(uint32_t flags) { return flags >> HST_AGENT_DEPTH_SHIFT; }
/* Of a context whose caller has those flags. */
static inline uint32_t hst_agent_depth_flags(uint32_t flags)
{
    uint32_t depth = hst_agent_depth(flags), most = UINT32_MAX >> HST_AGENT_DEPTH_SHIFT;
    return (depth < most ? depth + 1 : most) << HST_AGENT_DEPTH_SHIFT;
}

/* A function: this, and then its texts without ends, one after the other, over as many slots as they need. */
struct hst_agent_function {
    uint32_t slots;
    uint32_t flags;
    uint32_t first_line;
    uint16_t name_bytes, qualname_bytes, file_bytes;
    uint16_t reserved;
};

/* A function called under a chain of callers.  Total time is not kept: it is self of all below.  Function 0
 * with a parent: the calls that were too deep to be seen, calls of Python functions and resumes of C. */
struct hst_agent_context {
    uint64_t key; /* the agent's own */
    uint32_t parent, function;
    uint64_t calls;           /* begun; a generator begins once */
    uint64_t self_ticks;      /* with the tracer's own cost in it */
    uint64_t suspended_ticks; /* between a yield and its resumption */
    uint64_t resumes;
    uint32_t raises;                    /* left by an exception */
    uint32_t flags;                     /* enum hst_agent_function_flag | depth << HST_AGENT_DEPTH_SHIFT */
    uint32_t first_child, next_sibling; /* the agent's own: the order of siblings changes */
};

/* A thread: three slots. After very many, one that begins goes on in the row of one that has ended. */
struct hst_agent_thread {
    uint32_t native_id, interpreter_id;
    uint32_t root;                   /* context in which nothing of Python runs */
    uint32_t current;                /* where it is now */
    uint64_t last_ticks;             /* up to which time has been given to a context */
    uint64_t begin_ticks, end_ticks; /* end 0: it runs */
    uint64_t cpu_begin_ns, cpu_ns;   /* cpu_ns is what it used up to when its own clock was at cpu_begin_ns */
    uint32_t lost_depth;             /* calls it is in that have no context */
    uint32_t event_chunks;           /* that it has begun */
    char name[64];
    uint8_t reserved2[64];
};

/* A line of a function: half a slot. */
struct hst_agent_line {
    uint64_t hits;
    uint64_t self_ticks;  /* without the chosen functions that it calls */
    uint64_t total_ticks; /* of the times that it was done with */
    uint64_t open_ticks;  /* since when it is under way; 0: it is not */
};
/* Lines of a function as one thread met them: this slot, and then HST_AGENT_PAGE_LINES lines. */
#define HST_AGENT_PAGE_LINES 64u
struct hst_agent_line_page {
    uint32_t function, first_line;
    uint32_t reserved[14];
};

_Static_assert(sizeof(struct hst_agent_line_page) == HST_AGENT_SLOT_BYTES, "one slot");
/* The first slot of a chunk of EVENTS; events of 8 bytes follow, up to the first that is 0.
 *
 *   bits 0-31   context's slot * 2, + 1 when it is left (by its return, a yield or an exception), + 0 when
 * entered bits 32-63  ticks since the event before, or since the chunk's own
 *
 * An event whose low bits are HST_AGENT_EVENT_TIME is a long pause: the next 8 bytes are the ticks that it is
 * now. A context is entered from its parent and left to it.  Where that is not where the thread was by the
 * events before, some are missing; those of a chunk follow those of the one numbered before unless some were
 * lost. */
struct hst_agent_events {
    uint32_t kind;
    uint32_t thread;  /* its slot */
    uint32_t number;  /* of the thread's chunks: 0, 1, 2 ... */
    uint32_t context; /* in which the thread is before the first event */
    uint64_t ticks;
    uint64_t lost; /* events of the thread before the first of these, that no chunk has */
    uint32_t full; /* no event will follow */
    uint32_t reserved[7];
};
#define HST_AGENT_CHUNK_EVENTS_MAX ((HST_AGENT_CHUNK_BYTES - HST_AGENT_SLOT_BYTES) / 8)
#define HST_AGENT_EVENT_TIME 1u
static inline uint32_t hst_agent_event_word(uint32_t context, int leaves)
{
    return context << 1 | (leaves ? 1u : 0u);
}

_Static_assert(sizeof(struct hst_agent_events) == HST_AGENT_SLOT_BYTES, "one slot");
_Static_assert(sizeof(struct hst_agent_chunk) == HST_AGENT_SLOT_BYTES, "one slot");
_Static_assert(sizeof(struct hst_agent_context) == HST_AGENT_SLOT_BYTES, "one slot");
_Static_assert(sizeof(struct hst_agent_thread) == 3 * HST_AGENT_SLOT_BYTES, "three slots");
_Static_assert(sizeof(struct hst_agent_header) <= HST_AGENT_CHUNK_BYTES, "one chunk");

#endif
