/* Quiet functions of 3.11: those that call nothing of which the profile function would be told.
 *
 * With a profile function set, 3.11 runs no specialised instruction: code is slowed by half to three times,
 * each code differently.  A function that calls no function of C need not be, when its own call and return
 * are known by other means (both_hooks.c). */
#ifndef HST_AGENT_QUIET_H
#define HST_AGENT_QUIET_H

#include "agent/python.h"
#include "base/map.h"

/* A function whose calls are all to global names, or that makes none. */
struct hst_quiet {
    PyObject *code;
    PyObject **callees; /* the names, of the code's own */
    size_t count;
    uint64_t globals_version, builtins_version; /* for which the answer was found */
    int loud, answer;
};
extern struct hst_map hst_quiet_ids; /* code -> index of hst_quiets: both guarded by the interpreter's lock */
extern struct hst_quiet *hst_quiets;

uint32_t hst_quiet_add(PyObject *code);
int hst_quiet_ask(struct hst_quiet *quiet, const void *frame);

/* What is known of the function, by its instructions; made when it is met first. 0: it is not quiet. Keeps a
 * reference to code. An exception that is set stays set. */
static inline uint32_t hst_quiet_id(PyObject *code)
{
    uint32_t id = hst_map_find(&hst_quiet_ids, (uint64_t)(uintptr_t)code);
    return __builtin_expect(id != HST_MAP_ABSENT, 1) ? id : hst_quiet_add(code);
}

/* 1: a function with that id is quiet in this frame, by what the names that it calls mean at this moment. */
static inline int hst_quiet_now(uint32_t id, const void *frame)
{
    return id != 0 && (hst_quiets[id].count == 0 || hst_quiet_ask(&hst_quiets[id], frame));
}
/* All ids count as never given. */
void hst_quiet_forget(void);

#endif
