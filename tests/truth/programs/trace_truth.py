"""Programs whose calls are known by construction: one function each, chosen by its name.

usage: python trace_truth.py CASE
Each case says beside it what a tracer must count: {function: (calls, primitive calls, resumptions, exceptions)}, or a
function of the version that gives it, and {(caller, callee): calls}.  Functions of a case are its own, so that names tell them.
"""
import asyncio
import atexit
import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
import threading

CASES = {}


def case(calls, edges=None, code=0):
    """calls and edges may be functions of the version, (3, 12)."""
    def note(function):
        CASES[function.__name__] = (function, calls, edges or {}, code)
        return function
    return note


def once(n, resumes=0, raises=0):
    return (n, n, resumes, raises)


# --- plain calls ---
@case({"p_leaf": once(70), "p_mid": once(10)}, {("p_mid", "p_leaf"): 50, ("plain", "p_leaf"): 20, ("plain", "p_mid"): 10})
def plain():
    def p_leaf():
        pass

    def p_mid():
        for _ in range(5):
            p_leaf()

    for _ in range(10):
        p_mid()
        p_leaf()
        p_leaf()


@case({"r_fib": (177, 1, 0, 0)}, {("r_fib", "r_fib"): 176})
def recursion():
    def r_fib(n):
        return n if n < 2 else r_fib(n - 1) + r_fib(n - 2)
    r_fib(10)


@case({"m_even": (6, 1, 0, 0), "m_odd": (5, 1, 0, 0)}, {("m_even", "m_odd"): 5, ("m_odd", "m_even"): 5})
def mutual():
    def m_even(n):
        return n == 0 or m_odd(n - 1)

    def m_odd(n):
        return n != 0 and m_even(n - 1)
    m_even(10)


@case({"k_all": once(12)})
def kinds_of_arguments():
    def k_all(*args, **kwargs):
        pass
    for _ in range(3):
        k_all()
        k_all(1, x=2)
        k_all(*(1, 2))
        k_all(**{"y": 1})


@case({"d_inner": once(4), "d_wrapper": once(4), "d_decorate": once(1)}, {("d_wrapper", "d_inner"): 4})
def decorators():
    def d_decorate(function):
        @functools.wraps(function)
        def d_wrapper(*args):
            return function(*args)
        return d_wrapper

    @d_decorate
    def d_inner(x):
        return x
    for i in range(4):
        d_inner(i)


@case({"m_method": once(3), "m_static": once(3), "m_class": once(3), "m_prop": once(3)})
def methods():
    class Thing:
        def m_method(self):
            pass

        @staticmethod
        def m_static():
            pass

        @classmethod
        def m_class(cls):
            pass

        @property
        def m_prop(self):
            return 1
    thing = Thing()
    bound = thing.m_method
    thing.m_method()
    bound()
    Thing.m_method(thing)
    for _ in range(3):
        thing.m_static()
        Thing.m_class()
        thing.m_prop


@case({"__init__": once(5), "__new__": once(5), "s_base": once(5)}, {("construct", "s_sub"): 5, ("s_sub", "s_base"): 5})
def construct():
    class Base:
        def __new__(cls, *args):
            return object.__new__(cls)

        def __init__(self, x):
            self.x = x

        def s_base(self):
            return self.x

    class Sub(Base):
        def s_sub(self):
            return super().s_base()
    for i in range(5):
        Sub(i).s_sub()


@case({"__call__": once(3), "meta_init": once(3)})
def metaclass_call():
    class Meta(type):
        def __call__(cls, *args):
            thing = type.__call__(cls)
            meta_init(thing)
            return thing

    class Made(metaclass=Meta):
        pass

    def meta_init(thing):
        pass
    for _ in range(3):
        Made()


@case({"sp_getattr": once(2), "__getattr__": once(2), "__iter__": once(1), "__next__": (4, 4, 0, 1), "__len__": once(1),
       "__eq__": once(1), "__add__": once(1), "__enter__": once(1), "__exit__": once(1), "__contains__": once(1)})
def specials():
    def sp_getattr():
        return 1

    class Special:
        n = 0

        def __getattr__(self, name):
            return sp_getattr()

        def __iter__(self):
            return self

        def __next__(self):
            self.n += 1
            if self.n > 3:
                raise StopIteration
            return self.n

        def __len__(self):
            return 3

        def __eq__(self, other):
            return True

        def __add__(self, other):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *args):
            pass

        def __contains__(self, x):
            return True
    one = Special()
    one.a, one.b
    for _ in one:
        pass
    len(one), one == 1, one + 1, 1 in one
    with one:
        pass


@case({"l_key": once(4), "<lambda>": once(5)})
def lambdas():
    def l_key(x):
        return (lambda y: y)(x)
    for i in range(4):
        l_key(i)
    (lambda: None)()


@case({"c_item": once(30)})
def comprehensions():
    def c_item(x):
        return x
    [c_item(i) for i in range(10)]
    {c_item(i) for i in range(10)}
    {i: c_item(i) for i in range(10)}


@case({"cl_inner": once(6), "cl_make": once(3)})
def closures():
    def cl_make(n):
        def cl_inner():
            return n
        return cl_inner
    for i in range(3):
        f = cl_make(i)
        f()
        f()


@case({"ex_made": once(4)})
def executed_code():
    names = {}
    exec("def ex_made(x):\n    return x\n", names)
    for _ in range(2):
        exec("ex_made(1)", names)
    eval("ex_made(2)", names)
    names["ex_made"](3)


@case({"same": once(5)})
def same_name_and_line():
    made = []
    for _ in range(5):
        names = {}
        exec("def same():\n    pass\n", names)
        made.append(names["same"])
    for function in made:
        function()


# --- generators ---
@case({"g_count": once(1, 5), "g_use": once(1)}, {("g_use", "g_count"): 1})
def generator_exhausted():
    def g_count(n):
        for i in range(n):
            yield i

    def g_use():
        for _ in g_count(5):
            pass
    g_use()


@case({"gc_open": lambda version: {once(3, 3, 3)} | ({once(3)} if version == (3, 13) else set())})
def generator_closed():
    """A closed generator is entered once more, by the exception; the first releases of 3.13 do not tell of it."""
    def gc_open():
        yield 1
        yield 2
    for _ in range(3):
        g = gc_open()
        next(g)
        g.close()


@case({"gf_final": once(2, 2, 2), "gf_cleanup": once(2)})
def generator_closed_with_finally():
    def gf_cleanup():
        pass

    def gf_final():
        try:
            yield 1
        finally:
            gf_cleanup()
    for _ in range(2):
        g = gf_final()
        next(g)
        g.close()


@case({"gt_catch": once(1, 3, 1)})
def generator_thrown_into():
    def gt_catch():
        while True:
            try:
                yield 1
            except KeyError:
                pass
    g = gt_catch()
    next(g)
    g.throw(KeyError)
    next(g)
    try:
        g.throw(ValueError)
    except ValueError:
        pass


@case({"y_inner": once(2, 6), "y_outer": once(1, 6)}, {("y_outer", "y_inner"): 2})
def yield_from():
    def y_inner(n):
        for i in range(n):
            yield i
        return n

    def y_outer():
        yield from y_inner(3)
        yield from y_inner(3)
    list(y_outer())


@case({"i_gen": once(2, 6)})
def generators_interleaved():
    def i_gen():
        for i in range(3):
            yield i
    a, b = i_gen(), i_gen()
    for _ in range(3):
        next(a)
        next(b)
    for g in (a, b):
        next(g, None)


@case({"gs_send": once(1, 3)})
def generator_send():
    def gs_send():
        x = yield
        while x:
            x = yield x
    g = gs_send()
    next(g)
    g.send(1)
    g.send(2)
    try:
        g.send(0)
    except StopIteration:
        pass


@case({"gx_item": once(10), "<genexpr>": once(1, 10)})
def generator_expression():
    def gx_item(x):
        return x
    sum(gx_item(i) for i in range(10))


@case({"gr_tree": (7, 1, 5, 0)})
def generator_recursive():
    """Three values pass 2, 1 and 2 generators; each is resumed once for each that passes it."""
    def gr_tree(n):
        if n:
            yield from gr_tree(n - 1)
            yield n
            yield from gr_tree(n - 1)
    list(gr_tree(2))


# --- coroutines ---
@case({"co_leaf": once(4, 4), "co_main": once(1, 4)}, {("co_main", "co_leaf"): 4})
def coroutines():
    class Pause:
        def __await__(self):
            yield

    async def co_leaf():
        await Pause()

    async def co_main():
        for _ in range(4):
            await co_leaf()
    c = co_main()
    try:
        while True:
            c.send(None)
    except StopIteration:
        pass


@case({"ga_task": once(5, 10), "ga_step": once(10)})
def gather():
    def ga_step():
        pass

    async def ga_task():
        for _ in range(2):
            ga_step()
            await asyncio.sleep(0)

    async def ga_main():
        await asyncio.gather(*(ga_task() for _ in range(5)))
    asyncio.run(ga_main())


@case({"ag_items": once(1, 3), "ag_use": once(1)})
def async_generator():
    async def ag_items():
        for i in range(3):
            yield i

    async def ag_use():
        async for _ in ag_items():
            pass
    c = ag_use()
    try:
        c.send(None)
    except StopIteration:
        pass


@case({"ca_wait": once(1, 1, 1)})
def cancelled_task():
    async def ca_wait():
        await asyncio.sleep(60)

    async def ca_main():
        task = asyncio.ensure_future(ca_wait())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    asyncio.run(ca_main())


# --- exceptions ---
@case({"e_deep": (6, 1, 0, 6), "e_catch": once(1)})
def exception_through_python():
    def e_deep(n):
        if n == 0:
            raise ValueError
        e_deep(n - 1)

    def e_catch():
        try:
            e_deep(5)
        except ValueError:
            pass
    e_catch()


@case({"ec_key": once(1, 0, 1), "ec_map": once(2, 0, 1), "ec_after": once(3)})
def exception_through_c():
    def ec_key(x):
        raise ValueError

    def ec_map(x):
        return 1 // (x - 1)

    def ec_after():
        pass
    for work in (lambda: sorted([1, 2], key=ec_key), lambda: list(map(ec_map, [0, 1])), lambda: int("x")):
        try:
            work()
        except (ValueError, ZeroDivisionError):
            ec_after()


@case({"er_low": once(2, 0, 2), "er_mid": once(2, 0, 2), "er_fin": once(2)})
def exception_again():
    def er_fin():
        pass

    def er_low():
        raise KeyError

    def er_mid():
        try:
            er_low()
        except KeyError:
            raise
        finally:
            er_fin()
    for _ in range(2):
        try:
            er_mid()
        except KeyError:
            pass


# --- functions of C ---
@case({"<built-in method builtins.abs>": once(10), "<method 'append' of 'list' objects>": once(7),
       "<method 'get' of 'dict' objects>": once(4), "<method 'join' of 'str' objects>": once(2)})
def c_functions():
    items, table = [], {}
    for i in range(10):
        abs(i)
    for i in range(7):
        items.append(i)
    for i in range(4):
        table.get(i)
    for i in range(2):
        "-".join(["a"])


@case({"cb_key": once(4), "cb_red": once(3), "cb_sub": once(3), "cb_part": once(2)},
      {("<built-in method builtins.sorted>", "cb_key"): 4, ("<built-in method _functools.reduce>", "cb_red"): 3})
def callbacks_from_c():
    def cb_key(x):
        return -x

    def cb_red(a, b):
        return a + b

    def cb_sub(match):
        return ""

    def cb_part(a, b):
        pass
    sorted([1, 2, 3, 4], key=cb_key)
    functools.reduce(cb_red, [1, 2, 3, 4])
    re.sub("a", cb_sub, "aaa")
    partial = functools.partial(cb_part, 1)
    partial(2)
    partial(3)


@case({"n_outer": once(2), "n_inner": once(6), "<built-in method builtins.sorted>": (3, 1, 0, 0)})
def c_recursion():
    def n_inner(x):
        return x

    def n_outer(x):
        return sorted([3, 1, 2], key=n_inner)[x]
    sorted([0, 1], key=n_outer)


@case({"__del__": once(4), "w_gone": once(4)})
def finalizers():
    import weakref

    class Ends:
        def __del__(self):
            pass

    def w_gone(reference):
        pass
    for _ in range(4):
        thing = Ends()
        watch = weakref.ref(thing, w_gone)
        del thing
        assert watch() is None


# --- threads ---
@case({"t_leaf": once(500), "t_work": once(5)}, {("t_work", "t_leaf"): 500})
def threads():
    def t_leaf():
        pass

    def t_work():
        for _ in range(100):
            t_leaf()
    all_threads = [threading.Thread(target=t_work) for _ in range(5)]
    for thread in all_threads:
        thread.start()
    for thread in all_threads:
        thread.join()


@case({"tr_work": once(4), "tr_leaf": once(40)})
def raw_threads():
    import _thread
    done = [_thread.allocate_lock() for _ in range(4)]

    def tr_leaf():
        pass

    def tr_work(lock):
        for _ in range(10):
            tr_leaf()
        lock.release()
    for lock in done:
        lock.acquire()
        _thread.start_new_thread(tr_work, (lock,))
    for lock in done:
        lock.acquire()


@case({"te_leaf": once(300)})
def executor():
    from concurrent.futures import ThreadPoolExecutor

    def te_leaf(x):
        return x
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(te_leaf, range(300)))


@case({"ts_work": once(200)})
def short_threads():
    def ts_work():
        pass
    for _ in range(200):
        thread = threading.Thread(target=ts_work)
        thread.start()
        thread.join()


# --- processes ---
@case({"f_before": once(3), "f_child": once(5), "f_parent": once(7)}, {("fork", "f_child"): 5, ("fork", "f_parent"): 7})
def fork():
    def f_before():
        pass

    def f_child():
        pass

    def f_parent():
        pass
    for _ in range(3):
        f_before()
    if os.fork() == 0:
        for _ in range(5):
            f_child()
        os._exit(0)
    os.wait()
    for _ in range(7):
        f_parent()


@case({"ft_work": once(4)})
def fork_in_thread():
    def ft_work():
        pass

    def ft_fork():
        ft_work()
        if os.fork() == 0:
            ft_work()
            ft_work()
            os._exit(0)
        os.wait()
        ft_work()
    thread = threading.Thread(target=ft_fork)
    thread.start()
    thread.join()


def mp_work(x):
    return x


@case({"mp_work": once(20)})
def multiprocessing_fork():
    import multiprocessing
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(mp_work, range(20))
        pool.close()
        pool.join()


@case({"mp_work": once(6)})
def multiprocessing_spawn():
    import multiprocessing
    context = multiprocessing.get_context("spawn")
    for i in range(2):
        process = context.Process(target=mp_three)
        process.start()
        process.join()


def mp_three():
    for i in range(3):
        mp_work(i)


@case({"p_leaf": once(140)})
def subprocesses():
    for _ in range(2):
        subprocess.check_call([sys.executable, os.path.abspath(__file__), "plain"])


@case({"x_before": once(3), "p_leaf": once(70)})
def execs():
    def x_before():
        pass
    for _ in range(3):
        x_before()
    os.execv(sys.executable, [sys.executable, os.path.abspath(__file__), "plain"])


# --- ends ---
@case({"o_leaf": once(9)}, code=3)
def os_exit():
    def o_leaf():
        pass
    for _ in range(9):
        o_leaf()
    os._exit(3)


@case({"k_leaf": once(9)}, code=-signal.SIGKILL)
def killed():
    def k_leaf():
        pass
    for _ in range(9):
        k_leaf()
    os.kill(os.getpid(), signal.SIGKILL)


@case({"sg_leaf": once(9)}, code=-signal.SIGSEGV)
def segfault():
    import ctypes
    import resource

    def sg_leaf():
        pass
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for _ in range(9):
        sg_leaf()
    ctypes.string_at(0)


@case({"ae_last": once(1)})
def at_exit():
    def ae_last():
        pass
    atexit.register(ae_last)


@case({"u_fail": once(1, 0, 1)}, code=1)
def uncaught():
    def u_fail():
        raise SystemExit(1)
    u_fail()


# --- others ---
@case({"sh_handler": once(3)})
def signal_handler():
    def sh_handler(number, frame):
        pass
    signal.signal(signal.SIGUSR1, sh_handler)
    for _ in range(3):
        os.kill(os.getpid(), signal.SIGUSR1)
        for _ in range(10):
            pass


@case({"dr_down": (20001, 1, 0, 0)})
def deep_recursion():
    def dr_down(n):
        return 0 if n == 0 else dr_down(n - 1)
    sys.setrecursionlimit(50000)
    threading.stack_size(512 << 20)
    thread = threading.Thread(target=dr_down, args=(20000,))
    thread.start()
    thread.join()


@case({"cp_leaf": lambda version: once(10) if version >= (3, 12) else once(5)})
def second_profiler():
    """Before 3.12 there is one hook: while the program's own profiler has it, nothing is counted."""
    import cProfile
    import pstats
    import io

    def cp_leaf():
        pass
    for _ in range(5):
        cp_leaf()
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(5):
        cp_leaf()
    profile.disable()
    stats = pstats.Stats(profile, stream=io.StringIO()).stats
    assert [row[0] for key, row in stats.items() if key[2] == "cp_leaf"] == [5]


@case({"st_leaf": once(10)})
def second_tracer():
    events = []

    def st_leaf():
        pass

    def st_trace(frame, event, argument):
        if frame.f_code.co_name == "st_leaf":
            events.append(event)
    for _ in range(5):
        st_leaf()
    sys.settrace(st_trace)
    for _ in range(5):
        st_leaf()
    sys.settrace(None)
    assert events.count("call") == 5


@case(lambda version: {"si_leaf": once(6)} if version >= (3, 8) else {})
def imports():
    import types
    module = types.ModuleType("si")
    code = compile("def si_leaf():\n    pass\nfor _ in range(6):\n    si_leaf()\n", "si.py", "exec")
    exec(code, module.__dict__)


@case({"th_main": once(1), "th_many": once(50)})
def threads_and_exceptions():
    def th_many():
        try:
            raise ValueError
        except ValueError:
            pass

    def th_main():
        for _ in range(50):
            th_many()
    thread = threading.Thread(target=th_main)
    thread.start()
    thread.join()


@case({"cm_body": once(3), "cm_manager": once(3, 3)})
def context_managers():
    @contextlib.contextmanager
    def cm_manager():
        yield

    def cm_body():
        pass
    for _ in range(3):
        with cm_manager():
            cm_body()


@case({"lc_slow": once(3)})
def caches():
    @functools.lru_cache(None)
    def lc_slow(x):
        return x
    for i in range(9):
        lc_slow(i % 3)


@case({"sb_leaf": once(12), "sb_main": once(3)})
def sub_interpreters():
    """Two of them, and this one."""
    def sb_leaf():
        pass

    def sb_main():
        for _ in range(4):
            sb_leaf()
    sb_main()
    try:
        import _interpreters as module
    except ImportError:
        import _xxsubinterpreters as module
    code = "def sb_leaf():\n    pass\n\ndef sb_main():\n    for _ in range(4):\n        sb_leaf()\nsb_main()\n"
    for _ in range(2):
        number = module.create()
        (getattr(module, "exec", None) or module.run_string)(number, code)
        module.destroy(number)


if __name__ == "__main__":
    CASES[sys.argv[1]][0]()
