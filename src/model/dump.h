/* A process at one moment: what each thread does, its stack, and the variables of each frame.  Filled from a
 * running process or from a core file; printed by who does not know which. */
#ifndef HST_MODEL_DUMP_H
#define HST_MODEL_DUMP_H

#include <stddef.h>
#include <stdint.h>

#include "event/sample.h"
#include "model/profile.h"

struct hst_variable {
    char *name, *text;
};

struct hst_variables {
    struct hst_variable *items;
    size_t count;
};

struct hst_dump_frame {
    uint32_t location; /* in the dump's profile */
    uint8_t variables_read;
    struct hst_variables variables;
};

struct hst_dump_thread {
    uint32_t native_id; /* 0 = not known */
    char *name;
    uint64_t interpreter_id;
    enum hst_state state;
    uint16_t detail; /* BLOCKED, IDLE: system call number + 1, 0 = not known */
    uint8_t flags;   /* enum hst_sample_flag */
    uint64_t idle_ns;
    uint8_t stack_known;           /* 0: no copy of its stack could be believed */
    uint8_t crashed;               /* the signal that ended the program came to this thread */
    struct hst_dump_frame *frames; /* leaf first */
    size_t frame_count;
};

/* What a core file says of the end. */
struct hst_dump_end {
    int signal; /* 0 = none: the file was taken from a process that went on */
    int has_address;
    uint64_t address;       /* whose use was the fault */
    uint64_t cut_bytes;     /* that the file lacks at its end */
    char missing_file[512]; /* whose contents are in no place that was looked at; "" = none */
    char missing_why[128];
};

struct hst_dump {
    uint32_t pid;
    char *command;
    char interpreter[64];
    char *core; /* path of the core file; NULL = a running process */
    struct hst_dump_end end;
    char *root,
        *directory; /* where its files are, as seen from here: prefixes for absolute and relative names */
    uint64_t start_wall_ns;   /* sources changed later are not those that ran; 0 = not known */
    uint64_t threads_lacking; /* of the system, which run no Python */
    int stopped;              /* by a signal or a debugger */
    struct hst_profile profile;
    struct hst_dump_thread *threads;
    size_t thread_count, thread_capacity;
};

int hst_dump_init(struct hst_dump *dump);
void hst_dump_release(struct hst_dump *dump);
/* A zeroed row at the end; NULL when memory is out. */
struct hst_dump_thread *hst_dump_add_thread(struct hst_dump *dump);
void hst_dump_thread_clear_frames(struct hst_dump_thread *thread);
void hst_variables_release(struct hst_variables *variables);

#endif
