/* Questions on profiles made by hand, whose answers are known by construction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyze/diff.h"
#include "analyze/relations.h"
#include "analyze/states.h"
#include "analyze/syscall.h"
#include "analyze/totals.h"
#include "analyze/view.h"
#include "made_profile.h"

#define MS 1000000u

static struct hst_view view_of(const struct made *made, struct hst_filter filter)
{
    struct hst_view view;
    struct hst_error err = {0};
    if (hst_view_init(&view, &made->profile, &made->aggregate, &filter, &err) != HST_OK)
        fail_msg("%s", err.text);
    return view;
}

static struct hst_filter all_time(int fold)
{
    struct hst_filter filter = HST_FILTER_ALL;
    filter.mode = HST_MODE_ALL;
    filter.fold = fold;
    return filter;
}

static struct hst_function_total total_of(const struct made *made, const struct hst_totals *totals,
                                          const char *name)
{
    uint32_t function = made_find(made, name);
    for (size_t i = 0; i < totals->function_count; i++)
        if (totals->functions[i].function == function)
            return totals->functions[i];
    return (struct hst_function_total){.function = HST_ID_NONE};
}

static void assert_total(const struct made *made, const struct hst_totals *totals, const char *name,
                         uint64_t self_ms, uint64_t total_ms)
{
    struct hst_function_total total = total_of(made, totals, name);
    if (total.self.ns != self_ms * MS || total.total.ns != total_ms * MS)
        fail_msg("%s: self %llu ms, total %llu ms", name, (unsigned long long)(total.self.ns / MS),
                 (unsigned long long)(total.total.ns / MS));
}

static void test_recursion_counts_once(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main");
    made_samples(&made, t, made_stack(&made, "main:3>f:7>f:8>f:7"), RUNNING, 10);
    made_samples(&made, t, made_stack(&made, "main:3>f:7>g>f:8"), RUNNING, 5);
    made_samples(&made, t, made_stack(&made, "main:4"), RUNNING, 1);
    struct hst_view view = view_of(&made, all_time(0));
    struct hst_totals totals;
    assert_int_equal(hst_totals_init(&totals, &view), HST_OK);
    assert_total(&made, &totals, "f", 15, 15);
    assert_total(&made, &totals, "g", 0, 5);
    assert_total(&made, &totals, "main", 1, 16);
    for (size_t i = 0; i < totals.line_count; i++) {
        const struct hst_line_total *line = &totals.lines[i];
        if (line->line == 7) {
            assert_int_equal(line->self.ns, 10 * MS);
            assert_int_equal(line->total.ns, 15 * MS);
        } else if (line->line == 8) {
            assert_int_equal(line->self.ns, 5 * MS);
            assert_int_equal(line->total.ns, 15 * MS);
        } else if (line->line == 3) {
            assert_int_equal(line->total.ns, 15 * MS);
        }
    }
    hst_totals_sort(&totals, &made.profile, HST_SORT_TOTAL);
    assert_int_equal(totals.functions[0].function, made_find(&made, "main"));
    hst_totals_sort(&totals, &made.profile, HST_SORT_SELF);
    assert_int_equal(totals.functions[0].function, made_find(&made, "f"));
    hst_totals_release(&totals);
    hst_view_release(&view);
    made_release(&made);
}

static void test_library_time_goes_to_own_code(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main");
    made_samples(&made, t, made_stack(&made, "main>load>json.loads>json.decode"), RUNNING, 30);
    made_samples(&made, t, made_stack(&made, "main>load>re.match"), RUNNING, 10);
    made_samples(&made, t, made_stack(&made, "main>load"), RUNNING, 2);
    made_samples(&made, t, made_stack(&made, "threading.boot>threading.run>main"), RUNNING, 4);
    made_samples(&made, t, made_stack(&made, "threading.boot>threading.wait"), RUNNING, 8);
    made_samples(&made, t, 0, RUNNING, 6);
    struct hst_view view = view_of(&made, all_time(1));
    struct hst_totals totals;
    assert_int_equal(hst_totals_init(&totals, &view), HST_OK);
    assert_total(&made, &totals, "load", 42, 42);
    assert_total(&made, &totals, "main", 4, 46);
    assert_total(&made, &totals, "wait", 8, 8); /* no own code there: seen as it is */
    assert_total(&made, &totals, "boot", 0, 8);
    assert_int_equal(total_of(&made, &totals, "loads").function, HST_ID_NONE);
    struct hst_function_total load = total_of(&made, &totals, "load");
    assert_int_equal(load.library_ns, 40 * MS);
    assert_int_equal(load.library_function, made_find(&made, "loads"));
    assert_int_equal(totals.no_frame.ns, 6 * MS);
    hst_totals_release(&totals);
    hst_view_release(&view);

    view = view_of(&made, all_time(0));
    assert_int_equal(hst_totals_init(&totals, &view), HST_OK);
    assert_total(&made, &totals, "load", 2, 42);
    assert_total(&made, &totals, "decode", 30, 30);
    assert_total(&made, &totals, "boot", 0, 12);
    uint64_t sum = totals.no_frame.ns;
    for (size_t i = 0; i < totals.function_count; i++)
        sum += totals.functions[i].self.ns;
    assert_int_equal(sum, view.all.ns);
    hst_totals_release(&totals);
    hst_view_release(&view);
    made_release(&made);
}

static void test_which_files_are_library(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int library;
    } files[] = {
        {"/usr/lib/python3.11/json/__init__.py", 1},
        {"/usr/lib/python3/dist-packages/yaml/x.py", 1},
        {"/home/me/.pyenv/versions/3.8.20/lib/python3.8/re.py", 1},
        {"/v/lib64/python3.13t/os.py", 1},
        {"/v/lib/python3.12/site-packages/numpy/x.py", 1},
        {"<frozen importlib._bootstrap>", 1},
        {"/usr/lib/python311.zip/os.py", 1},
        {"/home/me/app.py", 0},
        {"<string>", 0},
        {"", 0},
        {"/home/me/python3/app.py", 0},
        {"/home/me/lib/python3things/app.py", 0},
        {"lib/tool.py", 0},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (hst_file_is_library(files[i].file) != files[i].library)
            fail_msg("%s", files[i].file);
}

static void test_hide_and_show(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main");
    made_samples(&made, t, made_stack(&made, "main>wrapper>work"), RUNNING, 5);
    made_samples(&made, t, made_stack(&made, "main>wrapper"), RUNNING, 3);
    made_samples(&made, t, made_stack(&made, "main>other"), RUNNING, 2);
    struct hst_filter filter = all_time(0);
    filter.hide = (const char *const[]){"wrap*"};
    filter.hide_count = 1;
    struct hst_view view = view_of(&made, filter);
    struct hst_relations relations;
    uint8_t wanted[16] = {0};
    wanted[made_find(&made, "work")] = 1;
    assert_int_equal(hst_relations_init(&relations, &view, wanted), HST_OK);
    assert_int_equal(relations.caller_count, 1);
    assert_int_equal(relations.callers[0].function, made_find(&made, "main"));
    hst_relations_release(&relations);
    struct hst_totals totals;
    assert_int_equal(hst_totals_init(&totals, &view), HST_OK);
    assert_total(&made, &totals, "main", 3, 10);
    hst_totals_release(&totals);
    hst_view_release(&view);

    filter = all_time(0);
    filter.show = (const char *const[]){"re:^w(or|ro)k$", "nothing"};
    filter.show_count = 2;
    view = view_of(&made, filter);
    assert_int_equal(view.all.ns, 5 * MS);
    hst_view_release(&view);

    filter.show = (const char *const[]){"re:("};
    filter.show_count = 1;
    struct hst_error err = {0};
    assert_int_equal(hst_view_init(&view, &made.profile, &made.aggregate, &filter, &err), HST_E_INVALID);
    assert_non_null(strstr(err.text, "regular expression"));
    made_release(&made);
}

static void test_wall_leaves_idle_threads_out(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    struct hst_sample idle = {.state = HST_STATE_IDLE, .detail = 203};
    struct hst_sample blocked = {.state = HST_STATE_BLOCKED, .detail = 203};
    uint32_t process = made_process(&made, 10), other = made_process(&made, 20);
    uint32_t joins = made_thread(&made, process, 10, "main"), pool = made_thread(&made, process, 11, "pool"),
             half = made_thread(&made, process, 12, "half"), busy = made_thread(&made, process, 13, "busy");
    uint32_t sleeper = made_thread(&made, other, 20, "main"),
             helper = made_thread(&made, other, 21, "helper");
    uint32_t stack = made_stack(&made, "main");
    made_samples(&made, busy, stack, RUNNING, 100);
    made_samples(&made, joins, stack, blocked, 30); /* waits for busy: no news */
    made_samples(&made, joins, stack, idle, 60);
    made_samples(&made, pool, stack, blocked, 50);
    made_samples(&made, pool, stack, idle, 50);
    made_samples(&made, pool, stack, RUNNING, 1); /* what it does still counts */
    made_samples(&made, half, stack, RUNNING, 50);
    made_samples(&made, half, stack, idle, 50);
    made_samples(&made, sleeper, stack, idle,
                 40); /* nothing else in that process: its main thread is its story */
    made_samples(&made, helper, stack, idle, 40);
    struct hst_filter filter = HST_FILTER_ALL;
    struct hst_view view = view_of(&made, filter);
    assert_int_equal(view.all.ns / MS, 100 + 1 + 100);
    assert_int_equal(view.left_out_ns / MS, 90 + 100 + 80);
    assert_int_equal(view.threads_active, 3);
    hst_view_release(&view);
    filter.process = other; /* nothing is awake there: its main thread is its story */
    view = view_of(&made, filter);
    assert_int_equal(view.all.ns / MS, 40);
    hst_view_release(&view);
    filter.process = HST_ID_NONE;
    filter.thread = pool; /* asked for by name */
    view = view_of(&made, filter);
    assert_int_equal(view.all.ns / MS, 101);
    hst_view_release(&view);
    filter.thread = HST_ID_NONE;
    static const struct {
        enum hst_mode mode;
        unsigned ms;
    } modes[] = {{HST_MODE_ALL, 471}, {HST_MODE_CPU, 151}, {HST_MODE_IDLE, 240},
                 {HST_MODE_GIL, 151}, {HST_MODE_GC, 0},    {HST_MODE_BLOCKED, 80}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        filter.mode = modes[i].mode;
        view = view_of(&made, filter);
        assert_int_equal(view.all.ns / MS, modes[i].ms);
        hst_view_release(&view);
    }
    filter.mode = HST_MODE_ALL;
    filter.thread = half;
    view = view_of(&made, filter);
    assert_int_equal(view.all.ns / MS, 100);
    hst_view_release(&view);
    filter.thread = HST_ID_NONE;
    filter.process = other;
    view = view_of(&made, filter);
    assert_int_equal(view.all.ns / MS, 80);
    hst_view_release(&view);
    made_release(&made);
}

static void test_callers_and_callees(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main");
    made_samples(&made, t, made_stack(&made, "main>a>f>g"), RUNNING, 6);
    made_samples(&made, t, made_stack(&made, "main>b>f"), RUNNING, 3);
    made_samples(&made, t, made_stack(&made, "main>b>f>g>f>g"), RUNNING, 2);
    made_samples(&made, t, made_stack(&made, "f"), RUNNING, 1);
    struct hst_view view = view_of(&made, all_time(0));
    uint8_t wanted[16] = {0};
    wanted[made_find(&made, "f")] = 1;
    struct hst_relations relations;
    assert_int_equal(hst_relations_init(&relations, &view, wanted), HST_OK);
    assert_int_equal(relations.total.ns, 12 * MS);
    assert_int_equal(relations.self.ns, 4 * MS);
    assert_int_equal(relations.caller_count, 3);
    assert_int_equal(relations.callers[0].function, made_find(&made, "a"));
    assert_int_equal(relations.callers[0].total.ns, 6 * MS);
    assert_int_equal(relations.callers[1].total.ns, 5 * MS);
    assert_int_equal(relations.callers[2].function, HST_ID_NONE);
    assert_int_equal(relations.callee_count, 1); /* g, and once a path */
    assert_int_equal(relations.callees[0].total.ns, 8 * MS);
    hst_relations_release(&relations);
    hst_view_release(&view);
    made_release(&made);
}

static void test_states(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main");
    uint32_t stack = made_stack(&made, "main");
    made_samples(&made, t, stack, RUNNING, 5);
    made_samples(&made, t, stack, (struct hst_sample){.state = HST_STATE_RUNNING, .flags = HST_SAMPLE_IN_GC},
                 2);
    made_samples(&made, t, stack, (struct hst_sample){.state = HST_STATE_BLOCKED, .detail = 1}, 3);
    made_samples(&made, t, stack, (struct hst_sample){.state = HST_STATE_BLOCKED, .detail = 2}, 4);
    made_samples(&made, t, stack, (struct hst_sample){.state = HST_STATE_GIL_WAIT, .detail = 203}, 1);
    struct hst_view view = view_of(&made, all_time(0));
    struct hst_states states;
    assert_int_equal(hst_states_init(&states, &view), HST_OK);
    assert_int_equal(states.count, 5);
    assert_int_equal(states.by_activity[HST_ACTIVITY_BLOCKED].ns, 7 * MS);
    assert_int_equal(states.by_activity[HST_ACTIVITY_GC].ns, 2 * MS);
    assert_int_equal(states.by_activity[HST_ACTIVITY_GIL_WAIT].ns, 1 * MS);
    assert_int_equal(states.rows[1].detail, 2);
    assert_int_equal(states.gil.ns, 5 * MS);
    assert_int_equal(states.thread_count, 1);
    hst_states_release(&states);
    hst_view_release(&view);
    made_release(&made);
}

static void test_a_very_deep_stack(void **state)
{
    (void)state;
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main");
    struct hst_location location = {.function = made_function(&made, "f"), .line = 2};
    uint32_t place = hst_profile_location(&made.profile, &location), stack = 0;
    for (int depth = 0; depth < 100000; depth++) {
        stack = hst_profile_stack(&made.profile, stack, place);
        if (depth % 1000 == 999)
            made_samples(&made, t, stack, RUNNING, 1);
    }
    struct hst_view view = view_of(&made, all_time(1));
    struct hst_totals totals;
    assert_int_equal(hst_totals_init(&totals, &view), HST_OK);
    assert_total(&made, &totals, "f", 100, 100);
    hst_totals_release(&totals);
    hst_view_release(&view);
    made_release(&made);
}

static struct made made_run(unsigned hot, unsigned cold)
{
    struct made made;
    made_init(&made);
    uint32_t t = made_thread(&made, made_process(&made, 1), 1, "main");
    made_samples(&made, t, made_stack(&made, "main>hot"), RUNNING, hot);
    made_samples(&made, t, made_stack(&made, "main>cold"), RUNNING, cold);
    return made;
}

static const struct hst_diff_row *diff_row(const struct hst_diff *diff, const char *name)
{
    for (size_t i = 0; i < diff->count; i++)
        if (strcmp(diff->rows[i].name, name) == 0)
            return &diff->rows[i];
    return NULL;
}

static void test_differences(void **state)
{
    (void)state;
    struct made before = made_run(900, 1000), after = made_run(300, 1000);
    /* The same functions further down in the file are the same functions. */
    made_function(&after, "new");
    struct hst_view first = view_of(&before, all_time(1)), second = view_of(&after, all_time(1));
    struct hst_diff diff;
    assert_int_equal(hst_diff_init(&diff, &first, &second), HST_OK);
    assert_string_equal(diff.rows[0].name, "hot");
    assert_int_equal(diff.rows[0].time.verdict, HST_VERDICT_BETTER);
    assert_true(diff.rows[0].time.before == 900e6 && diff.rows[0].time.after == 300e6);
    assert_true(diff.rows[0].time.interval.low < -600e6 && diff.rows[0].time.interval.high > -600e6);
    assert_int_equal(diff_row(&diff, "cold")->time.verdict, HST_VERDICT_UNDECIDED);
    assert_int_equal(diff_row(&diff, "cold")->share.verdict, HST_VERDICT_WORSE); /* more of a smaller whole */
    hst_diff_release(&diff);
    assert_int_equal(hst_diff_init(&diff, &second, &first), HST_OK);
    assert_int_equal(diff_row(&diff, "hot")->time.verdict, HST_VERDICT_WORSE);
    hst_diff_release(&diff);
    hst_view_release(&first);
    hst_view_release(&second);
    made_release(&before);
    made_release(&after);
}

static void test_how_many_samples_would_decide(void **state)
{
    (void)state;
    struct made before = made_run(50, 950), after = made_run(60, 950);
    struct hst_view first = view_of(&before, all_time(1)), second = view_of(&after, all_time(1));
    struct hst_diff diff;
    assert_int_equal(hst_diff_init(&diff, &first, &second), HST_OK);
    const struct hst_diff_row *hot = diff_row(&diff, "hot");
    assert_int_equal(hot->time.verdict, HST_VERDICT_UNDECIDED);
    unsigned times = (unsigned)(hot->time.more_samples / 1000) + 2; /* so many times as many samples in all */
    assert_in_range(times, 2, 20);
    hst_diff_release(&diff);
    hst_view_release(&first);
    hst_view_release(&second);
    made_release(&before);
    made_release(&after);
    before = made_run(50 * times, 950 * times);
    after = made_run(60 * times, 950 * times);
    first = view_of(&before, all_time(1));
    second = view_of(&after, all_time(1));
    assert_int_equal(hst_diff_init(&diff, &first, &second), HST_OK);
    assert_int_equal(diff_row(&diff, "hot")->time.verdict, HST_VERDICT_WORSE);
    hst_diff_release(&diff);
    hst_view_release(&first);
    hst_view_release(&second);
    made_release(&before);
    made_release(&after);
}

static void test_syscall_names(void **state)
{
    (void)state;
#if defined(__x86_64__)
    assert_string_equal(hst_syscall_name(0), "read");
    assert_string_equal(hst_syscall_name(202), "futex");
#elif defined(__aarch64__)
    assert_string_equal(hst_syscall_name(63), "read");
    assert_string_equal(hst_syscall_name(98), "futex");
#endif
    assert_null(hst_syscall_name(65534));
    assert_non_null(hst_syscall_meaning("futex"));
    assert_null(hst_syscall_meaning("getpid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recursion_counts_once),
        cmocka_unit_test(test_library_time_goes_to_own_code),
        cmocka_unit_test(test_which_files_are_library),
        cmocka_unit_test(test_hide_and_show),
        cmocka_unit_test(test_wall_leaves_idle_threads_out),
        cmocka_unit_test(test_callers_and_callees),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_a_very_deep_stack),
        cmocka_unit_test(test_differences),
        cmocka_unit_test(test_how_many_samples_would_decide),
        cmocka_unit_test(test_syscall_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
