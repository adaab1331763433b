/* target/place against a child that spins: hasten's thread is where it was told to be, and never elsewhere.
 */
#include "target/place.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"

struct fixture {
    cpu_set_t before;
    int first, second; /* two CPUs that this process may use; second = -1 when there is one only */
};

static int prepare(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.first = -1, .second = -1};
    if (sched_getaffinity(0, sizeof fixture.before, &fixture.before) != 0)
        return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &fixture.before))
            continue;
        if (fixture.first < 0)
            fixture.first = cpu;
        else if (fixture.second < 0)
            fixture.second = cpu;
    }
    *state = &fixture;
    return 0;
}

static int restore(void **state)
{
    const struct fixture *fixture = *state;
    return sched_setaffinity(0, sizeof fixture->before, &fixture->before);
}

static void run_on(int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
}

static void assert_may_run_on(const cpu_set_t *wanted)
{
    cpu_set_t now;
    assert_int_equal(sched_getaffinity(0, sizeof now, &now), 0);
    assert_true(CPU_EQUAL(&now, wanted));
}

/* A child that spins on the CPU; returns once it is there. */
static pid_t spin_on(int cpu)
{
    int ends[2];
    char ready;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET((size_t)cpu, &one);
        (void)alarm(20);
        if (sched_setaffinity(0, sizeof one, &one) != 0 || write(ends[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            __asm__ volatile("" ::: "memory");
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    (void)close(ends[0]);
    return child;
}

static void end(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_join_and_leave(void **state)
{
    const struct fixture *fixture = *state;
    int cpus[] = {fixture->first, fixture->second};
    struct hst_place place;
    hst_place_init(&place);
    for (size_t i = 0; i < HST_ARRAY_LENGTH(cpus) && cpus[i] >= 0; i++) {
        pid_t child = spin_on(cpus[i]);
        int policy = sched_getscheduler(0);
        assert_int_equal(hst_place_join(&place, child, child), HST_OK);
        assert_int_equal(sched_getcpu(), cpus[i]);
        hst_place_leave(&place);
        assert_may_run_on(&fixture->before);
        assert_int_equal(sched_getscheduler(0), policy);
        end(child);
    }
    hst_place_release(&place);
}

static void test_keep_off(void **state)
{
    const struct fixture *fixture = *state;
    struct hst_place place;
    cpu_set_t rest = fixture->before;
    if (fixture->second < 0)
        skip(); /* one CPU: nowhere to go */
    hst_place_init(&place);
    hst_place_keep_off(&place, fixture->first);
    CPU_CLR((size_t)fixture->first, &rest);
    assert_may_run_on(&rest);
    pid_t child = spin_on(fixture->first);
    assert_int_equal(hst_place_join(&place, child, child), HST_OK);
    assert_int_equal(sched_getcpu(), fixture->first);
    hst_place_leave(&place);
    assert_may_run_on(&rest); /* and back to keeping off */
    hst_place_keep_off(&place, -1);
    hst_place_keep_off(&place, CPU_SETSIZE);
    assert_may_run_on(&rest);
    hst_place_release(&place);
    assert_may_run_on(&fixture->before);
    end(child);
}

/* Started with taskset on one CPU: hasten stays there, whatever it would like. */
static void test_what_was_not_allowed(void **state)
{
    const struct fixture *fixture = *state;
    struct hst_place place;
    cpu_set_t only;
    if (fixture->second < 0)
        skip();
    pid_t child = spin_on(fixture->second);
    run_on(fixture->first);
    CPU_ZERO(&only);
    CPU_SET((size_t)fixture->first, &only);
    hst_place_init(&place);
    assert_int_equal(hst_place_join(&place, child, child), HST_E_PERM);
    assert_may_run_on(&only);
    hst_place_keep_off(&place, fixture->first);
    assert_may_run_on(&only);
    hst_place_release(&place);
    assert_may_run_on(&only);
    end(child);
}

static void test_thread_that_is_gone(void **state)
{
    const struct fixture *fixture = *state;
    struct hst_place place;
    pid_t child = spin_on(fixture->first);
    end(child);
    hst_place_init(&place);
    assert_int_equal(hst_place_join(&place, child, child), HST_E_GONE);
    assert_may_run_on(&fixture->before);
    hst_place_release(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_join_and_leave, prepare, restore),
        cmocka_unit_test_setup_teardown(test_keep_off, prepare, restore),
        cmocka_unit_test_setup_teardown(test_what_was_not_allowed, prepare, restore),
        cmocka_unit_test_setup_teardown(test_thread_that_is_gone, prepare, restore),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
