/* What the system may say of a process, in a folder of our own: each limit is seen, and refused with what to
 * try. */
#include "target/allowed.h"

#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/status.h"

enum { PID = 4711 };

static char root[64];

static void put(const char *name, const char *text, size_t length)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    assert_int_equal(hst_file_write(path, text, length, NULL), HST_OK);
}

static void say(const char *name, const char *text) { put(name, text, strlen(text)); }

static void say_machine(unsigned char class, uint16_t machine)
{
    Elf64_Ehdr head = {.e_ident = {0x7f, 'E', 'L', 'F', class}, .e_machine = machine};
    put("proc/4711/exe", (const char *)&head, sizeof head);
}

#define STATUS(seccomp, tracer)                                                                              \
    "Name:\tpython\nTracerPid:\t" tracer                                                                     \
    "\nUid:\t1000\t0\t0\t0\nVmRSS:\t 900000 kB\nRssAnon:\t  500000 kB\n"                                     \
    "Threads:\t2\nSeccomp:\t" seccomp "\nSeccomp_filters:\t0\n"

/* A machine on which nothing is wrong. */
static int build(void **state)
{
    (void)snprintf(root, sizeof root, "/tmp/hasten-twin-XXXXXX");
    assert_non_null(mkdtemp(root));
    say_machine(ELFCLASS64, EM_X86_64);
    say("proc/4711/status", STATUS("0", "0"));
    say("proc/4711/task/4711/status", STATUS("0", "0"));
    say("proc/4711/task/4712/status", STATUS("0", "0"));
    say("proc/4711/limits",
        "Limit    Soft Limit   Hard Limit   Units\nMax processes  100   200   processes\n");
    say("proc/4711/cgroup", "4:memory:/jobs/one\n8:pids:/jobs\n1:name=systemd:/\n0::/new/two\n");
    say("proc/meminfo", "MemTotal: 9000000 kB\nMemAvailable:  2000000 kB\n");
    say("proc/sys/vm/overcommit_memory", "0\n");
    say("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    say("sys/fs/cgroup/memory/memory.usage_in_bytes", "3000000000\n");
    say("sys/fs/cgroup/pids/jobs/pids.max", "max\n");
    say("sys/fs/cgroup/pids/jobs/pids.current", "50\n");
    say("sys/fs/cgroup/new/two/memory.max", "max\n");
    say("sys/fs/cgroup/new/two/memory.current", "1000\n");
    (void)state;
    return 0;
}

static int clear(void **state)
{
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

static void allowed(void)
{
    struct hst_error err = {0};
    enum hst_status status = hst_twin_allowed(root, PID, &err);
    if (status != HST_OK)
        fail_msg("%s: %s", hst_status_name(status), err.text);
}

static void refused(const char *words)
{
    struct hst_error err = {0};
    assert_int_equal(hst_twin_allowed(root, PID, &err), HST_E_UNSUPPORTED);
    if (strstr(err.text, words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, err.text);
    assert_true(err.hint[0] != '\0');
}

static void test_machine(void **state)
{
    (void)state;
    allowed();
    say_machine(ELFCLASS32, EM_386);
    refused("x86-64");
    say_machine(ELFCLASS64, EM_AARCH64);
    refused("x86-64");
}

static void test_threads(void **state)
{
    (void)state;
    say("proc/4711/task/4712/status", STATUS("2", "0"));
    refused("thread 4712 runs under seccomp");
    say("proc/4711/task/4712/status", STATUS("1", "0"));
    refused("seccomp");
    say("proc/4711/task/4712/status", STATUS("0", "99"));
    refused("traced by process 99");
    say("proc/4711/task/4712/status", "Name:\told kernel\n");
    allowed();
}

static void test_memory_of_the_machine(void **state)
{
    (void)state;
    say("proc/sys/vm/overcommit_memory", "2\n");
    refused("overcommit");
    say("proc/sys/vm/overcommit_memory", "1\n");
    say("proc/meminfo", "MemAvailable:  1000000 kB\n");
    allowed();
    say("proc/meminfo", "MemAvailable:  999998 kB\n");
    refused("1023 MB are free");
}

static void test_memory_of_groups(void **state)
{
    (void)state;
    /* 512 MB are wanted */
    say("sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes", "1000000000\n");
    say("sys/fs/cgroup/memory/jobs/one/memory.usage_in_bytes", "488000000\n");
    allowed();
    say("sys/fs/cgroup/memory/jobs/one/memory.usage_in_bytes", "488000001\n");
    refused("511 MB left");
    say("sys/fs/cgroup/memory/jobs/one/memory.stat", "inactive_file 0\ntotal_inactive_file 1000\n");
    allowed();
    say("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "600000000\n");
    say("sys/fs/cgroup/memory/jobs/memory.usage_in_bytes", "600000001\n");
    refused("0 MB left");
}

static void test_memory_of_unified_groups(void **state)
{
    (void)state;
    say("sys/fs/cgroup/new/memory.max", "600000000\n");
    say("sys/fs/cgroup/new/memory.current", "500000000\n");
    refused("100 MB left");
    say("sys/fs/cgroup/new/memory.stat", "anon 1\ninactive_file 450000000\n");
    allowed();
    say("sys/fs/cgroup/unified/new/two/memory.max", "0\n");
    say("sys/fs/cgroup/unified/new/two/memory.current", "1\n");
    refused("0 MB left");
}

static void test_processes(void **state)
{
    (void)state;
    say("sys/fs/cgroup/pids/jobs/pids.max", "51\n");
    allowed();
    say("sys/fs/cgroup/pids/jobs/pids.max", "50\n");
    refused("50 processes and threads (pids.max)");
    say("sys/fs/cgroup/pids/jobs/pids.max", "max\n");
    say("sys/fs/cgroup/new/two/pids.max", "7\n");
    say("sys/fs/cgroup/new/two/pids.current", "7\n");
    refused("7 processes");
}

static void test_processes_of_the_user(void **state)
{
    (void)state;
    say("proc/12/status", "Uid:\t1000\t1000\nThreads:\t97\n");
    say("proc/13/status", "Uid:\t1001\t1000\nThreads:\t97\n");
    allowed(); /* 99 of 100 */
    say("proc/14/status", "Uid:\t1000\t1000\nThreads:\t1\n");
    refused("ulimit -u");
    say("proc/4711/limits", "Max processes  unlimited   unlimited   processes\n");
    allowed();
    say("proc/4711/limits", "Max processes  100   100   processes\n");
    say("proc/4711/status", "Uid:\t0\t0\nThreads:\t2\nRssAnon:\t1 kB\n");
    allowed(); /* root has no such limit */
}

static void test_gone(void **state)
{
    (void)state;
    struct hst_error err = {0};
    assert_int_equal(hst_twin_allowed(root, 4713, &err), HST_E_GONE);
    assert_int_equal(hst_twin_allowed("/nowhere", PID, &err), HST_E_GONE);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, build, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_machine),
        TEST(test_threads),
        TEST(test_memory_of_the_machine),
        TEST(test_memory_of_groups),
        TEST(test_memory_of_unified_groups),
        TEST(test_processes),
        TEST(test_processes_of_the_user),
        TEST(test_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
