/* The call is made between two stops at the kernel's border (PTRACE_SYSCALL), not by a single step, whose
 * SIGTRAP would change the thread's handlers when it blocks or ignores that signal.  A call that the stop
 * interrupted needs nothing of us: with its registers back, -ERESTART... and the call's number among them,
 * the kernel starts it again itself when the thread is let go. */
#include "target/inject.h"

#include <elf.h>

#ifdef __x86_64__
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "target/maps.h"

enum {
    CHUNK = 1 << 16,
    SEARCHED_MAX = 16 << 20, /* of one mapping */
    STOPS_MAX = 64,
    TRIES = 1000,         /* of a tenth of a millisecond */
    LONG_MODE = 0x33,     /* cs of 64 bit code */
    ERESTARTNOINTR = 513, /* not for programs: a stop came first, to be tried again */
    BORDER = SIGTRAP | 0x80,
};

int hst_inject_is_for(unsigned machine) { return machine == EM_X86_64; }

static enum hst_status search(struct hst_memory *memory, const struct hst_mapping *mapping,
                              hst_raddr *ret_address)
{
    static const uint8_t instruction[2] = {0x0f, 0x05};
    HST_CLEANUP_FREE uint8_t *bytes = hst_alloc(CHUNK, 1);
    if (bytes == NULL)
        return HST_E_NOMEM;
    hst_raddr end =
        mapping->end - mapping->start < SEARCHED_MAX ? mapping->end : mapping->start + SEARCHED_MAX;
    for (hst_raddr at = mapping->start; at + sizeof instruction <= end; at += CHUNK - 1) {
        size_t length = end - at < CHUNK ? end - at : CHUNK;
        HST_TRY(hst_memory_read(memory, at, bytes, length));
        const uint8_t *found = memmem(bytes, length, instruction, sizeof instruction);
        if (found != NULL) {
            *ret_address = at + (hst_raddr)(found - bytes);
            return HST_OK;
        }
    }
    return HST_E_NOENT;
}

/* The kernel's own page first: it is small, and no library is ever unloaded there. */
static enum hst_status search_all(struct hst_memory *memory, const struct hst_maps *maps,
                                  hst_raddr *ret_address)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < maps->count; i++) {
            const struct hst_mapping *mapping = &maps->items[i];
            int is_kernels = strcmp(mapping->path, "[vdso]") == 0;
            if ((mapping->flags & HST_MAP_EXEC) == 0 || is_kernels != (pass == 0))
                continue;
            enum hst_status status = search(memory, mapping, ret_address);
            if (status != HST_E_NOENT && status != HST_E_TORN)
                return status;
        }
    return HST_E_NOENT;
}

enum hst_status hst_inject_find(int pid, hst_raddr *ret_address)
{
    struct hst_memory *memory;
    struct hst_maps maps = {0};
    HST_TRY(hst_memory_live(pid, &memory));
    enum hst_status status = hst_maps_read(pid, &maps);
    if (status == HST_OK)
        status = search_all(memory, &maps, ret_address);
    hst_maps_release(&maps);
    hst_memory_free(memory);
    return status;
}

int hst_inject_is_in_call(int tid)
{
    struct user_regs_struct registers;
    return ptrace(PTRACE_GETREGS, tid, NULL, &registers) == 0 && (int64_t)registers.orig_rax >= 0;
}

/* SIGSTOP cannot be made to wait. It is delivered: the process counts as stopped from then on, the thread
 * goes on for us, and stops when it is let go, unless SIGCONT came meanwhile. */
static enum hst_status run_to_border(int tid, int *ret_child)
{
    uintptr_t deliver = 0;
    for (int stops = 0; stops < STOPS_MAX; stops++) {
        int status;
        unsigned long message = 0;
        if (ptrace(PTRACE_SYSCALL, tid, NULL, (void *)deliver) != 0)
            return hst_status_from_errno(errno);
        if (waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
            return HST_E_GONE;
        int event = status >> 16, number = WSTOPSIG(status);
        if (number == BORDER)
            return HST_OK;
        if (event == PTRACE_EVENT_CLONE && ptrace(PTRACE_GETEVENTMSG, tid, NULL, &message) == 0)
            *ret_child = (int)message;
        else if (event == 0 && number != SIGSTOP)
            return HST_E_IO; /* the instruction is not there any more */
        deliver = event == 0 ? SIGSTOP : 0;
    }
    return HST_E_IO;
}

static enum hst_status make_call(int tid, const struct user_regs_struct *registers, int64_t *ret_result,
                                 int *ret_child)
{
    struct user_regs_struct after;
    *ret_result = -ERESTARTNOINTR;
    for (int i = 0; i < TRIES && *ret_result == -ERESTARTNOINTR; i++) {
        if (ptrace(PTRACE_SETREGS, tid, NULL, registers) != 0)
            return hst_status_from_errno(errno);
        HST_TRY(run_to_border(tid, ret_child));
        HST_TRY(run_to_border(tid, ret_child));
        if (ptrace(PTRACE_GETREGS, tid, NULL, &after) != 0)
            return hst_status_from_errno(errno);
        *ret_result = (int64_t)after.rax;
    }
    return *ret_result != -ERESTARTNOINTR ? HST_OK : HST_E_BUSY; /* stops rain on it */
}

enum hst_status hst_inject_call(int tid, hst_raddr address, const struct hst_inject_call *call,
                                int64_t *ret_result, int *ret_child)
{
    struct user_regs_struct before, during;
    uint64_t mask, all = UINT64_MAX;
    *ret_child = 0;
    if (ptrace(PTRACE_GETREGS, tid, NULL, &before) != 0 ||
        ptrace(PTRACE_GETSIGMASK, tid, sizeof mask, &mask) != 0 ||
        ptrace(PTRACE_SETOPTIONS, tid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE) != 0)
        return hst_status_from_errno(errno);
    if (before.cs != LONG_MODE)
        return HST_E_UNSUPPORTED;
    during = before;
    during.rip = address;
    during.rax = (uint64_t)call->number;
    during.orig_rax = UINT64_MAX; /* the call that it was in is not started again yet */
    during.rdi = call->arguments[0];
    during.rsi = call->arguments[1];
    during.rdx = call->arguments[2];
    during.r10 = call->arguments[3];
    during.r8 = 0;
    if (ptrace(PTRACE_SETSIGMASK, tid, sizeof all, &all) != 0)
        return hst_status_from_errno(errno);
    enum hst_status status = make_call(tid, &during, ret_result, ret_child);
    if (ptrace(PTRACE_SETREGS, tid, NULL, &before) != 0)
        status = status == HST_OK ? HST_E_GONE : status;
    (void)ptrace(PTRACE_SETSIGMASK, tid, sizeof mask, &mask);
    return status;
}

#else

int hst_inject_is_for(unsigned machine)
{
    (void)machine;
    return 0;
}

enum hst_status hst_inject_find(int pid, hst_raddr *ret_address)
{
    (void)pid;
    *ret_address = 0;
    return HST_E_UNSUPPORTED;
}

int hst_inject_is_in_call(int tid) { return tid == 0; }

enum hst_status hst_inject_call(int tid, hst_raddr address, const struct hst_inject_call *call,
                                int64_t *ret_result, int *ret_child)
{
    (void)tid;
    (void)address;
    (void)call;
    *ret_result = *ret_child = 0;
    return HST_E_UNSUPPORTED;
}

#endif
