/* A profile in memory: tables of what was seen, each row named by a 32-bit id, and nothing about who saw it
 * or who will print it.  Rows are only ever added, so that an id stays good and a store can write "the new
 * ones".
 *
 *   string    a text                                   process   one program
 *   function  name, file, first line                   thread    one thread of a process
 *   location  function + line + columns + instruction  stack     parent stack + location (a tree; 0 is its
 * root)
 *
 * Samples are not kept here: they are streams, in the store (store/run_writer.h, store/run_reader.h). */
#ifndef HST_MODEL_PROFILE_H
#define HST_MODEL_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/status.h"
#include "model/strings.h"

struct hst_function {
    uint32_t name;     /* string: co_name, or the qualified name's last part */
    uint32_t qualname; /* string: qualified name where the version has it (3.11+), else the name */
    uint32_t file;     /* string: as the code object says: a path, "<string>", "<frozen importlib>" ... */
    uint32_t first_line;
};

struct hst_location {
    uint32_t function;
    uint32_t line, end_line;     /* 0 = the instruction has no line */
    uint16_t column, end_column; /* 0-based utf-8 offsets + 1; 0 = not known (before 3.11) */
    uint32_t instruction;        /* byte offset in the code object's bytecode */
};

struct hst_stack {
    uint32_t parent; /* stack id, < own id; 0 = this is the outermost frame */
    uint32_t location;
    uint32_t depth; /* frames in it; stack 0 has 0 */
};

struct hst_process {
    uint32_t pid, parent_pid;
    uint32_t command;          /* string: arguments joined by spaces */
    uint32_t interpreter;      /* string: "CPython 3.13.0", "" = not a Python */
    uint32_t executable;       /* string: path */
    uint64_t start_ns, end_ns; /* since the start of the run, when it was first and last seen */
    uint64_t cpu_ns;           /* user + system while it was watched */
};

struct hst_thread {
    uint32_t process; /* index in processes */
    uint32_t native_id;
    uint32_t name;           /* string */
    uint32_t interpreter_id; /* sub-interpreter number, 0 = main */
    uint64_t start_ns, end_ns;
    uint64_t cpu_ns, runnable_ns; /* exact, from the scheduler, while it was watched */
};

struct hst_profile {
    struct hst_strings strings;
    struct hst_function *functions;
    size_t function_count, function_capacity;
    struct hst_location *locations;
    size_t location_count, location_capacity;
    struct hst_stack *stacks; /* [0] is the empty stack */
    size_t stack_count, stack_capacity;
    struct hst_process *processes;
    size_t process_count, process_capacity;
    struct hst_thread *threads;
    size_t thread_count, thread_capacity;
    struct hst_map function_ids, location_ids, stack_ids; /* row contents -> id */
};

#define HST_ID_NONE HST_MAP_ABSENT

int hst_profile_init(struct hst_profile *profile);
void hst_profile_release(struct hst_profile *profile);

/* The id of an equal row, added when there is none; HST_ID_NONE when memory is out. */
uint32_t hst_profile_function(struct hst_profile *profile, const struct hst_function *function);
uint32_t hst_profile_location(struct hst_profile *profile, const struct hst_location *location);
uint32_t hst_profile_stack(struct hst_profile *profile, uint32_t parent, uint32_t location);
/* The same without adding: HST_ID_NONE when there is none. */
uint32_t hst_profile_stack_find(const struct hst_profile *profile, uint32_t parent, uint32_t location);
/* Always a new row. */
uint32_t hst_profile_add_process(struct hst_profile *profile, const struct hst_process *process);
uint32_t hst_profile_add_thread(struct hst_profile *profile, const struct hst_thread *thread);

/* Every reference between rows points at a row that exists and stacks point downward: what a reader of files
 * calls before anything else may trust the ids. */
enum hst_status hst_profile_validate(const struct hst_profile *profile, struct hst_error *err) HST_MUST_CHECK;

static inline const char *hst_profile_text(const struct hst_profile *profile, uint32_t string)
{
    return hst_strings_get(&profile->strings, string);
}

#endif
