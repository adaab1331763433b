"""Other tools in the same program: they get what they ask for, and where they take the hook of 3.8 to 3.11 away, it
is taken back when they are done."""
import sys
import threading


def leaf(*arguments):
    return arguments


def work(n):
    for _ in range(n):
        leaf()


def counted(profile, name):
    """Calls that a profile of cProfile or profile states."""
    import pstats

    for key, row in pstats.Stats(profile).stats.items():
        if key[2] == name:
            return row[1]
    return 0


def c_profile():
    """cProfile for a while: its counts are right, and ours are where both can look.

    taken 1
    [monitoring] leaf 12
    [hook] leaf 8
    counted 1
    """
    import cProfile

    for _ in range(3):
        leaf()
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(4):
        leaf()
    profile.disable()
    for _ in range(5):
        leaf()
    assert counted(profile, "leaf") == 4


def c_profile_often():
    """cProfile on and off a hundred times.

    taken 100
    [monitoring] leaf 300
    [hook] leaf 200
    """
    import cProfile

    profile = cProfile.Profile()
    for _ in range(100):
        leaf()
        profile.enable()
        leaf()
        profile.disable()
        leaf()


def ended_elsewhere():
    """Enabled three calls deep, disabled at the top; and the other way round.

    taken 2
    begin 1
    deeper 1 < begin 1
    [monitoring] leaf 6 < deeper 2, ended_elsewhere 2, end 2
    [hook] leaf 3 < deeper 1, ended_elsewhere 1, end 1
    [monitoring] end 1
    """
    import cProfile

    profile = cProfile.Profile()

    def deeper():
        leaf()
        profile.enable()
        leaf()

    def begin():
        deeper()

    def end():
        leaf()
        profile.disable()
        leaf()

    begin()
    profile.disable()
    leaf()
    profile.enable()
    leaf()
    end()


def ended_in_recursion():
    """Disabled deeper in a recursion than it was enabled.

    taken 1
    [monitoring] down 11/1 < ended_in_recursion 1, down 10
    [hook] down 7/1 < ended_in_recursion 1, down 6
    leaf 11 < down 11
    after 1
    """
    import cProfile

    profile = cProfile.Profile()

    def down(n):
        if n == 6:
            profile.disable()
        if n:
            if n == 10:
                profile.enable()
            down(n - 1)
        leaf()

    def after():
        pass

    down(10)
    after()


def own_hook():
    """sys.setprofile with a function in Python.

    taken 1
    [monitoring] leaf 12
    [hook] leaf 8
    """
    seen = []

    def note(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "leaf":
            seen.append(1)

    for _ in range(3):
        leaf()
    sys.setprofile(note)
    for _ in range(4):
        leaf()
    sys.setprofile(None)
    for _ in range(5):
        leaf()
    assert len(seen) == 4


def own_stack():
    """The standard library's profile, which keeps a stack of its own and fails where an event does not fit.

    taken 1
    [monitoring] work 1 < ...
    [monitoring] leaf 12 < work 4, own_stack 8
    [hook] leaf 8
    counted 1
    """
    import profile

    for _ in range(3):
        leaf()
    one = profile.Profile()
    one.runcall(work, 4)
    for _ in range(5):
        leaf()
    assert counted(one, "leaf") == 4


def no_hook():
    """sys.setprofile(None) by a program that has none, and what it can see of ours.

    leaf 7
    """
    assert sys.getprofile() is None
    for _ in range(3):
        leaf()
    sys.setprofile(None)
    for _ in range(4):
        leaf()
    assert sys.getprofile() is None
    assert sys.gettrace() is None


def traced():
    """sys.settrace, as debuggers and coverage have it.

    leaf 12
    """
    seen = []

    def note(frame, event, argument):
        if event == "call" and frame.f_code.co_name == "leaf":
            seen.append(1)
        return note

    for _ in range(3):
        leaf()
    sys.settrace(note)
    for _ in range(4):
        leaf()
    sys.settrace(None)
    for _ in range(5):
        leaf()
    assert len(seen) == 4


def traced_threads():
    """threading.settrace: threads with a trace function of their own.

    work 2 < run 2
    leaf 10 < work 10
    """
    def note(frame, event, argument):
        return note

    threading.settrace(note)
    for _ in range(2):
        thread = threading.Thread(target=work, args=(5,))
        thread.start()
        thread.join()
    threading.settrace(None)


def hooked_threads():
    """threading.setprofile: such threads are the other tool's up to 3.11.

    taken 2
    [monitoring] work 2 < run 2
    [monitoring] leaf 13 < work 10, hooked_threads 3
    [hook] leaf 3
    """
    def note(frame, event, argument):
        pass

    threading.setprofile(note)
    for _ in range(2):
        thread = threading.Thread(target=work, args=(5,))
        thread.start()
        thread.join()
    threading.setprofile(None)
    for _ in range(3):
        leaf()


def own_monitoring():
    """A tool of sys.monitoring.

    since 3.12
    leaf 12
    """
    seen = []

    def note(code, offset):
        if code.co_name == "leaf":
            seen.append(1)

    monitoring = sys.monitoring
    for _ in range(3):
        leaf()
    monitoring.use_tool_id(monitoring.PROFILER_ID, "own")
    monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.PY_START, note)
    monitoring.set_events(monitoring.PROFILER_ID, monitoring.events.PY_START)
    for _ in range(4):
        leaf()
    monitoring.set_events(monitoring.PROFILER_ID, 0)
    monitoring.free_tool_id(monitoring.PROFILER_ID)
    for _ in range(5):
        leaf()
    assert len(seen) == 4


def disabling_monitoring():
    """A tool that disables what it has seen, and starts it again: that is its own affair.

    since 3.12
    leaf 60 < work 60
    work 12
    """
    seen = []

    def note(code, line, *value):
        seen.append(line)
        return sys.monitoring.DISABLE

    monitoring = sys.monitoring
    monitoring.use_tool_id(monitoring.COVERAGE_ID, "own")
    for event in (monitoring.events.LINE, monitoring.events.PY_START, monitoring.events.PY_RETURN):
        monitoring.register_callback(monitoring.COVERAGE_ID, event, note)
    for turn in range(4):
        monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.LINE | monitoring.events.PY_START |
                              monitoring.events.PY_RETURN)
        for _ in range(3):
            work(5)
        monitoring.set_events(monitoring.COVERAGE_ID, 0)
        monitoring.restart_events()
    assert seen
    monitoring.free_tool_id(monitoring.COVERAGE_ID)


def all_ids():
    """A program that wants the well-known numbers of sys.monitoring: they are free.

    since 3.12
    leaf 2
    """
    monitoring = sys.monitoring
    leaf()
    for number in (monitoring.DEBUGGER_ID, monitoring.COVERAGE_ID, monitoring.PROFILER_ID, monitoring.OPTIMIZER_ID):
        assert monitoring.get_tool(number) is None
        monitoring.use_tool_id(number, "own")
    leaf()


def allocations():
    """tracemalloc, and an audit hook in Python.

    leaf 5
    """
    import tracemalloc

    sys.addaudithook(lambda event, arguments: None)
    tracemalloc.start(5)
    for _ in range(5):
        leaf()
    tracemalloc.stop()


def debugged():
    """bdb, which pdb is made of: it steps through a call.

    leaf 3 < work 3
    work 1 < ...
    """
    import bdb

    class Own(bdb.Bdb):
        pass

    one = Own()
    one.runcall(work, 3)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
