/* A copy-on-write child of a small program: its memory stays what it was at one moment, and the program
 * notices nothing: no call of its own is cut short, no child is seen by its waits, none is left. */
#include "target/twin.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/status.h"
#include "target/memory.h"
#include "target/process.h"

enum { ROUNDS = 20 };

/* Shared with the target, whose answers are there. */
struct answers {
    volatile uint64_t turns; /* goes up as long as it runs */
    volatile uint64_t sum, children, cut_short, nap_ns;
    volatile int signals, done;
};
static struct answers *answers;
static volatile uint64_t private_turns[2]; /* always equal when its only writer stands between two calls */

static void count_signal(int number)
{
    (void)number;
    answers->signals++;
}

static void *nap(void *argument)
{
    uint64_t begin_ns = hst_now_ns();
    if (nanosleep(&(struct timespec){.tv_sec = 1}, NULL) != 0)
        answers->cut_short++;
    answers->nap_ns = hst_now_ns() - begin_ns;
    return argument;
}

static void *wait_in_poll(void *argument)
{
    if (poll(NULL, 0, 1000) != 0)
        answers->cut_short++;
    return argument;
}

static void *turn(void *argument)
{
    while (!answers->done) {
        private_turns[0]++;
        private_turns[1]++;
        answers->turns++;
        if (waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD)
            answers->children++;
    }
    return argument;
}

/* Reads bytes as they come, and says what went wrong. */
static void run_target(int input)
{
    pthread_t threads[3];
    unsigned char byte;
    (void)signal(SIGUSR1, count_signal);
    (void)pthread_create(&threads[0], NULL, nap, NULL);
    (void)pthread_create(&threads[1], NULL, wait_in_poll, NULL);
    (void)pthread_create(&threads[2], NULL, turn, NULL);
    for (ssize_t got; (got = read(input, &byte, 1)) != 0;) {
        if (got == 1)
            answers->sum += byte;
        else
            answers->cut_short++;
    }
    answers->done = 1;
    for (int i = 0; i < 3; i++)
        (void)pthread_join(threads[i], NULL);
    _exit(0);
}

static void start_target(int *ret_pid, int *ret_input)
{
    int ends[2];
    answers = mmap(NULL, sizeof *answers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(answers, MAP_FAILED);
    assert_int_equal(pipe(ends), 0);
    *ret_pid = fork();
    assert_true(*ret_pid >= 0);
    if (*ret_pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* when a test fails */
        (void)close(ends[1]);
        run_target(ends[0]);
    }
    (void)close(ends[0]);
    *ret_input = ends[1];
    while (answers->turns < 1000)
        (void)usleep(1000);
}

static uint64_t read_word(int pid, volatile uint64_t *word)
{
    struct hst_memory *memory;
    uint64_t value;
    assert_int_equal(hst_memory_live(pid, &memory), HST_OK);
    assert_int_equal(hst_memory_read_u64(memory, (uintptr_t)word, &value), HST_OK);
    hst_memory_free(memory);
    return value;
}

static void make(int pid, struct hst_twin *ret_twin)
{
    struct hst_error err = {0};
    enum hst_status status = hst_twin_make(pid, ret_twin, &err);
    if (status != HST_OK)
        fail_msg("%s: %s", hst_status_name(status), err.text);
}

static void look_once(int pid)
{
    struct hst_twin twin;
    struct hst_twin_cost cost;
    make(pid, &twin);
    uint64_t turns = answers->turns, kept = read_word(twin.pid, &private_turns[0]);
    while (answers->turns < turns + 100)
        (void)usleep(100); /* it goes on */
    assert_int_equal(read_word(twin.pid, &private_turns[0]), kept);
    assert_true(read_word(twin.pid, &private_turns[1]) + 1 >= kept);
    assert_true(read_word(pid, &private_turns[0]) > kept);
    assert_true(twin.pause_ns > 0);
    int child = twin.pid;
    hst_twin_free(&twin, &cost);
    assert_true(cost.reaped && cost.reap_pause_ns > 0);
    assert_int_equal(kill(child, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void end_target(int pid, int input)
{
    int status;
    (void)close(input);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_nothing_is_noticed(void **state)
{
    int pid, input;
    uint64_t sum = 0;
    start_target(&pid, &input);
    for (int i = 1; i <= ROUNDS; i++) {
        look_once(pid);
        unsigned char byte = (unsigned char)i;
        assert_int_equal(write(input, &byte, 1), 1);
        sum += byte;
    }
    end_target(pid, input);
    assert_int_equal(answers->sum, sum);
    assert_int_equal(answers->cut_short, 0);
    assert_int_equal(answers->children, 0);
    assert_true(answers->nap_ns >= 1000000000 && answers->nap_ns < 3000000000);
    (void)state;
}

/* Signals that come meanwhile arrive, once each, and a stop is a stop. */
static void test_signals(void **state)
{
    int pid, input;
    struct hst_process_facts facts;
    start_target(&pid, &input);
    int sender = fork();
    if (sender == 0) {
        for (int i = 0; i < 200; i++) {
            int before = answers->signals;
            (void)kill(pid, SIGUSR1);
            while (answers->signals == before)
                (void)usleep(50);
        }
        _exit(0);
    }
    for (int i = 0; i < ROUNDS; i++)
        look_once(pid);
    assert_int_equal(waitpid(sender, NULL, 0), sender);
    assert_int_equal(answers->signals, 200);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    struct hst_twin twin;
    struct hst_twin_cost cost;
    make(pid, &twin);
    hst_twin_free(&twin, &cost);
    assert_true(cost.reaped);
    (void)usleep(10000);
    assert_int_equal(hst_process_read(pid, &facts), HST_OK);
    assert_int_equal(facts.state, 'T');
    assert_int_equal(kill(pid, SIGCONT), 0);
    end_target(pid, input);
    (void)state;
}

/* Stops and their ends, at any moment: the last word counts. */
static void test_stops_meanwhile(void **state)
{
    int pid, input;
    struct hst_process_facts facts;
    struct hst_twin twin;
    struct hst_twin_cost cost;
    start_target(&pid, &input);
    int sender = fork();
    if (sender == 0) {
        for (int i = 0; i < 2000; i++) {
            (void)kill(pid, SIGSTOP);
            (void)usleep((useconds_t)(i % 50));
            (void)kill(pid, SIGCONT);
            (void)usleep((useconds_t)(i % 70));
        }
        (void)kill(pid, SIGSTOP);
        _exit(0);
    }
    while (waitpid(sender, NULL, WNOHANG) == 0) {
        make(pid, &twin);
        hst_twin_free(&twin, &cost);
        assert_true(cost.reaped);
    }
    (void)usleep(10000);
    assert_int_equal(hst_process_read(pid, &facts), HST_OK);
    assert_int_equal(facts.state, 'T');
    assert_int_equal(kill(pid, SIGCONT), 0);
    look_once(pid);
    end_target(pid, input);
    assert_int_equal(answers->children, 0);
    (void)state;
}

/* Who has the child in hand is gone: the target goes on, and the child with the keeper. */
static void test_keeper_is_killed(void **state)
{
    int pid, input;
    struct hst_twin twin;
    struct hst_twin_cost cost;
    start_target(&pid, &input);
    make(pid, &twin);
    assert_int_equal(kill(twin.keeper, SIGKILL), 0);
    int child = twin.pid;
    hst_twin_free(&twin, &cost);
    assert_int_equal(cost.reaped, 0);
    struct hst_process_facts facts = {0};
    for (int i = 0; i < 1000 && (hst_process_read(child, &facts) == HST_OK && facts.state != 'Z'); i++)
        (void)usleep(1000);
    assert_int_equal(facts.state, 'Z');
    look_once(pid);
    end_target(pid, input);
    assert_int_equal(answers->children, 0);
    (void)state;
}

static void test_nobody(void **state)
{
    struct hst_twin twin;
    struct hst_error err = {0};
    assert_int_equal(hst_twin_make(1 << 22, &twin, &err), HST_E_GONE);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_noticed),
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_stops_meanwhile),
        cmocka_unit_test(test_keeper_is_killed),
        cmocka_unit_test(test_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
