/* userfaultfd(2), ioctl_userfaultfd(2), the kernel's Documentation/admin-guide/mm/pagemap.rst and
 * include/uapi/linux/fs.h (PAGEMAP_SCAN). */
#include "target/written.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "target/allowed.h"
#include "target/inject.h"
#include "target/process.h"
#include "target/stop.h"

/* Newer than the headers that this is built with. */
struct page_region {
    uint64_t start, end, categories;
};
struct scan {
    uint64_t size, flags, start, end, walk_end, regions, region_count, max_pages;
    uint64_t inverted, all_of, any_of, told;
};
#define SCAN _IOWR('f', 16, struct scan)
#define SCAN_PROTECT 1u      /* PM_SCAN_WP_MATCHING */
#define SCAN_ONLY_WATCHED 2u /* PM_SCAN_CHECK_WPASYNC */
#define PAGE_WATCHED 1u      /* PAGE_IS_WPALLOWED */
#define PAGE_WRITTEN 2u
#define PAGE_PRESENT 8u
#define PAGE_SWAPPED 16u
#define FEATURE_ASYNC (UINT64_C(1) << 15) /* UFFD_FEATURE_WP_ASYNC */
#define USER_MODE_ONLY 1u                 /* UFFD_USER_MODE_ONLY: asks for no privilege */

enum { REGIONS = 512, PAGE = 4096, TRIAL_PAGES = 1024, PART_BYTES = 16 << 20 };

/* --- the descriptor --- */

static int begin_async(int uffd)
{
    struct uffdio_api api = {.api = UFFD_API, .features = FEATURE_ASYNC};
    return ioctl(uffd, UFFDIO_API, &api) == 0;
}

static int watch(int uffd, hst_raddr start, hst_raddr end)
{
    struct uffdio_register range = {.range = {start, end - start}, .mode = UFFDIO_REGISTER_MODE_WP};
    return ioctl(uffd, UFFDIO_REGISTER, &range) == 0;
}

/* Shared between hasten and the one that fetches it, with their descriptors. */
struct fetch {
    int target;
    hst_raddr instruction;
    enum hst_status status;
    int error_number; /* of the call; 0: it was another step */
    int uffd;
};

static enum hst_status call_by(int tid, const struct fetch *fetch, const struct hst_inject_call *call,
                               int64_t *ret_result)
{
    int child;
    return hst_inject_call(tid, fetch->instruction, call, ret_result, &child);
}

/* The thread stands still: it opens one, we take it over, it closes its own. */
static enum hst_status exchange(int tid, int pidfd, struct fetch *fetch)
{
    const struct hst_inject_call open_call = {.number = SYS_userfaultfd,
                                              .arguments = {O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY}};
    int64_t opened, closed;
    HST_TRY(call_by(tid, fetch, &open_call, &opened));
    if (opened < 0) {
        fetch->error_number = (int)-opened;
        return HST_E_UNSUPPORTED;
    }
    fetch->uffd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)opened, 0);
    int error_number = errno;
    const struct hst_inject_call close_call = {.number = SYS_close, .arguments = {(uint64_t)opened}};
    HST_TRY(call_by(tid, fetch, &close_call, &closed));
    return fetch->uffd >= 0 ? HST_OK : hst_status_from_errno(error_number);
}

/* HST_E_BUSY: it is not in a call, and should be. */
static enum hst_status exchange_by(int tid, int in_call, int pidfd, struct fetch *fetch)
{
    HST_TRY(hst_stop_seize(tid));
    enum hst_status status = hst_stop_interrupt(tid);
    if (status == HST_OK)
        status = in_call && !hst_inject_is_in_call(tid) ? HST_E_BUSY : exchange(tid, pidfd, fetch);
    hst_stop_leave(tid);
    return status;
}

/* A thread inside a call first: it is in no restartable sequence, which would not learn that it was
 * interrupted. */
static enum hst_status fetch_by_any(struct fetch *fetch)
{
    HST_CLEANUP_FREE int *tids = NULL;
    size_t count = 0;
    HST_CLEANUP_FD int pidfd = (int)syscall(SYS_pidfd_open, fetch->target, 0);
    if (pidfd < 0)
        return hst_status_from_errno(errno);
    HST_TRY(hst_process_threads(fetch->target, &tids, &count));
    enum hst_status status = HST_E_GONE; /* so says a thread that has just ended */
    for (int in_call = 1; in_call >= 0; in_call--)
        for (size_t i = 0; i < count && (status == HST_E_GONE || status == HST_E_BUSY); i++)
            status = exchange_by(tids[i], in_call, pidfd, fetch);
    return status;
}

/* A process of its own, so that hasten may be killed while the thread has our registers. */
static enum hst_status fetch_descriptor(struct fetch *fetch)
{
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0)
        return hst_status_from_errno(errno);
    HST_CLEANUP_FD int from = pipe_ends[0];
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        sigset_t all;
        (void)sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, NULL);
        (void)setsid(); /* what is sent to hasten's group is not for us */
        fetch->status = fetch_by_any(fetch);
        (void)!write(pipe_ends[1], fetch, sizeof *fetch);
        _exit(0);
    }
    int error_number = errno;
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    (void)close(pipe_ends[1]); /* only now: it is the same descriptor in both */
    if (pid < 0)
        return hst_status_from_errno(error_number);
    return read(from, fetch, sizeof *fetch) == sizeof *fetch ? fetch->status : HST_E_INTERRUPTED;
}

/* --- scanning --- */

/* Hands on up to REGIONS stretches, and moves the scan on behind them. */
static enum hst_status scan_part(int pagemap, struct scan *scan, hst_written_visitor *visit, void *context)
{
    struct page_region found[REGIONS];
    scan->size = sizeof *scan;
    scan->regions = (uint64_t)(uintptr_t)found;
    scan->region_count = REGIONS;
    int count = ioctl(pagemap, SCAN, scan);
    if (count < 0)
        return errno == ESRCH ? HST_E_GONE : HST_E_UNSUPPORTED;
    for (int i = 0; i < count; i++) /* before 6.13 memory that moved (mremap) keeps marks, unwatched */
        HST_TRY(visit(context, found[i].start, found[i].end, found[i].categories != PAGE_WATCHED));
    scan->start = scan->walk_end;
    return HST_OK;
}

static enum hst_status scan_all(int pagemap, struct scan scan, hst_written_visitor *visit, void *context)
{
    scan.any_of = PAGE_PRESENT | PAGE_SWAPPED;
    scan.told = PAGE_WATCHED | PAGE_WRITTEN;
    while (scan.start < scan.end) {
        hst_raddr before = scan.start;
        HST_TRY(scan_part(pagemap, &scan, visit, context));
        if (scan.start <= before)
            return HST_E_UNSUPPORTED;
    }
    return HST_OK;
}

static enum hst_status protect(int pagemap, hst_raddr start, hst_raddr end, hst_written_visitor *visit,
                               void *context)
{
    return scan_all(
        pagemap,
        (struct scan){
            .flags = SCAN_PROTECT | SCAN_ONLY_WATCHED, .start = start, .end = end, .all_of = PAGE_WRITTEN},
        visit, context);
}

static enum hst_status ignore(void *context, hst_raddr start, hst_raddr end, int is_written)
{
    (void)context, (void)start, (void)end, (void)is_written;
    return HST_OK;
}

/* --- what a fault costs --- */

static uint64_t time_faults(int uffd, int pagemap, volatile char *pages)
{
    hst_raddr start = (hst_raddr)(uintptr_t)pages;
    size_t bytes = (size_t)TRIAL_PAGES * PAGE;
    for (size_t at = 0; at < bytes; at += PAGE)
        pages[at] = 1;
    if (!watch(uffd, start, start + bytes) || protect(pagemap, start, start + bytes, ignore, NULL) != HST_OK)
        return 0;
    uint64_t begin_ns = hst_cpu_ns();
    for (size_t at = 0; at < bytes; at += PAGE)
        pages[at] = 2;
    uint64_t took_ns = hst_cpu_ns() - begin_ns;
    return took_ns / TRIAL_PAGES + 1;
}

uint64_t hst_written_fault_ns(void)
{
    size_t bytes = (size_t)TRIAL_PAGES * PAGE;
    HST_CLEANUP_FD int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | USER_MODE_ONLY);
    HST_CLEANUP_FD int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (uffd < 0 || pagemap < 0 || !begin_async(uffd))
        return 0;
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return 0;
    uint64_t cost_ns = time_faults(uffd, pagemap, pages);
    (void)munmap(pages, bytes);
    return cost_ns;
}

/* --- of a process --- */

static const char other_hint[] =
    "without --precopy it stands still while its memory is copied; --fork makes that short as well";

static enum hst_status open_both(int pid, struct fetch *fetch, struct hst_written *written)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
    written->pagemap = open(path, O_RDONLY | O_CLOEXEC);
    if (written->pagemap < 0)
        return hst_status_from_errno(errno);
    HST_TRY(hst_inject_find(pid, &fetch->instruction));
    HST_TRY(fetch_descriptor(fetch));
    written->uffd = fetch->uffd;
    return begin_async(written->uffd) ? HST_OK : HST_E_UNSUPPORTED;
}

enum hst_status hst_written_begin(int pid, struct hst_written *ret_written, struct hst_error *err)
{
    struct fetch fetch = {.target = pid, .uffd = -1};
    *ret_written = (struct hst_written){.uffd = -1, .pagemap = -1};
    HST_TRY(hst_injection_allowed("", pid, err));
    if (hst_written_fault_ns() == 0) {
        (void)hst_error_set(err, HST_E_UNSUPPORTED,
                            "this system does not tell which pages are written to (Linux 6.7 and later do)");
        hst_error_hint(err, "%s", other_hint);
        return HST_E_UNSUPPORTED;
    }
    enum hst_status status = open_both(pid, &fetch, ret_written);
    if (status == HST_OK)
        return HST_OK;
    hst_written_end(ret_written);
    if (status == HST_E_UNSUPPORTED) {
        (void)hst_error_set(err, status, "the system refused it a userfaultfd%s%s",
                            fetch.error_number != 0 ? ": " : "",
                            fetch.error_number != 0 ? strerror(fetch.error_number) : "");
        hst_error_hint(err, "%s", other_hint);
    }
    return status;
}

enum hst_status hst_written_watch(struct hst_written *written, hst_raddr start, hst_raddr end)
{
    if (!HST_RESERVE(written->ranges, written->capacity, written->count + 1))
        return HST_E_NOMEM;
    if (!watch(written->uffd, start, end))
        return HST_OK;
    written->ranges[written->count++] = (struct hst_written_range){start, end};
    enum hst_status status = protect(written->pagemap, start, end, ignore, NULL);
    return status == HST_E_UNSUPPORTED ? HST_OK : status; /* it changed meanwhile */
}

enum hst_status hst_written_visit(struct hst_written *written, hst_raddr start, hst_raddr end,
                                  hst_written_visitor *visit, void *context)
{
    return scan_all(written->pagemap, (struct scan){.start = start, .end = end}, visit, context);
}

struct counted {
    struct hst_written *written;
    hst_written_visitor *visit;
    void *context;
};

static enum hst_status count_and_visit(void *context, hst_raddr start, hst_raddr end, int is_written)
{
    struct counted *counted = context;
    counted->written->pages += (end - start) / PAGE;
    return counted->visit(counted->context, start, end, is_written);
}

enum hst_status hst_written_visit_again(struct hst_written *written, hst_written_visitor *visit,
                                        void *context)
{
    struct counted counted = {written, visit, context};
    for (size_t i = 0; i < written->count; i++) {
        const struct hst_written_range *range = &written->ranges[i];
        enum hst_status status =
            protect(written->pagemap, range->start, range->end, count_and_visit, &counted);
        if (status != HST_OK && status != HST_E_UNSUPPORTED) /* it is no more what it was */
            return status;
    }
    return HST_OK;
}

/* Closing alone would take all away at once, and hold up the process's faults for that long. */
static void unwatch(int uffd, const struct hst_written_range *range)
{
    for (hst_raddr at = range->start; at < range->end; at += PART_BYTES) {
        hst_raddr left = range->end - at;
        struct uffdio_range part = {at, left < PART_BYTES ? left : PART_BYTES};
        (void)ioctl(uffd, UFFDIO_UNREGISTER, &part);
    }
}

void hst_written_end(struct hst_written *written)
{
    for (size_t i = 0; i < written->count; i++)
        unwatch(written->uffd, &written->ranges[i]);
    if (written->uffd >= 0)
        (void)close(written->uffd);
    if (written->pagemap >= 0)
        (void)close(written->pagemap);
    hst_free(written->ranges);
    *written = (struct hst_written){.uffd = -1, .pagemap = -1};
}
