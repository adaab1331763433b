/* A profile and its sums, made by hand in a test: functions by name, stacks as "main>work:12>json.loads",
 * samples. */
#ifndef HST_TESTS_MADE_PROFILE_H
#define HST_TESTS_MADE_PROFILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/aggregate.h"
#include "event/sample.h"
#include "model/profile.h"

struct made {
    struct hst_profile profile;
    struct hst_aggregate aggregate;
    uint64_t time_ns;
};

static inline void made_init(struct made *made)
{
    memset(made, 0, sizeof *made);
    if (!hst_profile_init(&made->profile))
        abort();
    hst_aggregate_init(&made->aggregate);
}

static inline void made_release(struct made *made)
{
    hst_profile_release(&made->profile);
    hst_aggregate_release(&made->aggregate);
}

static inline uint32_t made_string(struct made *made, const char *text)
{
    return hst_strings_add_z(&made->profile.strings, text);
}

static inline uint32_t made_process(struct made *made, uint32_t pid)
{
    return hst_profile_add_process(&made->profile,
                                   &(struct hst_process){.pid = pid,
                                                         .command = made_string(made, "python3 app.py"),
                                                         .interpreter = made_string(made, "CPython 3.11.2")});
}

static inline uint32_t made_thread(struct made *made, uint32_t process, uint32_t native_id, const char *name)
{
    return hst_profile_add_thread(
        &made->profile,
        &(struct hst_thread){.process = process, .native_id = native_id, .name = made_string(made, name)});
}

/* A name with a dot is the standard library's: "json.loads". All others are of /home/me/app.py. */
static inline uint32_t made_function(struct made *made, const char *name)
{
    char file[256] = "/home/me/app.py";
    const char *dot = strchr(name, '.');
    if (dot != NULL)
        snprintf(file, sizeof file, "/usr/lib/python3.11/%.*s.py", (int)(dot - name), name);
    uint32_t text = made_string(made, dot != NULL ? dot + 1 : name);
    return hst_profile_function(&made->profile, &(struct hst_function){.name = text,
                                                                       .qualname = text,
                                                                       .file = made_string(made, file),
                                                                       .first_line = 1});
}

/* "a>b:12>b": outermost first; :12 is the line, 1 otherwise. */
static inline uint32_t made_stack(struct made *made, const char *frames)
{
    char copy[1024], *rest = NULL;
    uint32_t stack = 0;
    snprintf(copy, sizeof copy, "%s", frames);
    for (char *frame = strtok_r(copy, ">", &rest); frame != NULL; frame = strtok_r(NULL, ">", &rest)) {
        char *colon = strchr(frame, ':');
        uint32_t line = colon != NULL ? (uint32_t)atoi(colon + 1) : 1;
        if (colon != NULL)
            *colon = '\0';
        struct hst_location location = {.function = made_function(made, frame), .line = line};
        stack = hst_profile_stack(&made->profile, stack, hst_profile_location(&made->profile, &location));
    }
    return stack;
}

static inline void made_samples(struct made *made, uint32_t thread, uint32_t stack, struct hst_sample kind,
                                unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct hst_sample sample = kind;
        sample.thread = thread;
        sample.stack = stack;
        if (sample.weight_ns == 0)
            sample.weight_ns = 1000000;
        sample.time_ns = made->time_ns += sample.weight_ns;
        if (hst_aggregate_add(&made->aggregate, &sample) != HST_OK)
            abort();
    }
}

#define RUNNING ((struct hst_sample){.state = HST_STATE_RUNNING, .flags = HST_SAMPLE_HOLDS_GIL})

static inline uint32_t made_find(const struct made *made, const char *name)
{
    for (uint32_t f = 0; f < made->profile.function_count; f++)
        if (strcmp(hst_profile_text(&made->profile, made->profile.functions[f].name), name) == 0)
            return f;
    return HST_ID_NONE;
}

#endif
