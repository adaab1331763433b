"""Generators: one call each however often they go on, and however they end."""
import itertools
import sys


def count(n):
    for i in range(n):
        yield i


def guarded(log):
    try:
        while True:
            log.append((yield))
    finally:
        log.append("end")


def exhausted():
    """A loop over all of it: one call, and a resumption after each yield.

    count 2~8
    """
    for _ in count(3):
        pass
    for _ in count(5):
        pass


def by_next():
    """Driven by next(), which says StopIteration at its end.

    count 1~2 < builtins.next 1~2
    * builtins.next 4!2
    [monitoring] * range 2 < by_next 1, count 1
    """
    one = count(2)
    next(one)
    next(one)
    for _ in range(2):
        try:
            next(one)
        except StopIteration:
            pass


def consumed_by_c():
    """sum, list, sorted and tuple consume it.

    [monitoring] count 4~12 < builtins.sum 1~3, list 1~3, builtins.sorted 1~3, tuple 1~3
    [hook] count 4~12 < builtins.sum 1~3, consumed_by_c 2~6, builtins.sorted 1~3
    * builtins.sum 1
    * builtins.sorted 1
    """
    sum(count(3))
    list(count(3))
    sorted(count(3))
    tuple(count(3))


def never_begun():
    """Made, but never asked for a value: its function did not begin.

    """
    one = count(3)
    del one
    two = count(3)
    two.close()


def closed():
    """close() of a generator with something to clean up: it goes on once more, and leaves by GeneratorExit.

    guarded 3~5!3 < builtins.next 3, generator.send 0~2, generator.close 0~3
    * generator.send 2
    * generator.close 4
    """
    log = []
    for i in range(3):
        one = guarded(log)
        next(one)
        if i < 2:
            one.send(i)
        one.close()
    one.close()
    assert log == [0, "end", 1, "end", "end"]


def dropped():
    """Dropped in the middle, with something to clean up.

    guarded 2~2!2 < builtins.next 2, dropped 0~2
    """
    log = []
    for _ in range(2):
        one = guarded(log)
        next(one)
        del one
    assert log == ["end", "end"]


def dropped_plainly():
    """Dropped in the middle of a loop that nothing guards: it goes on once more to end, but in the first 3.13.

    count 2~5!2
    [3.13-3.13] count 2~3
    """
    for i in count(10):
        if i == 2:
            break
    for i in count(10):
        if i == 1:
            break


def thrown_into():
    """throw(): caught inside, and not.

    patient 1~4 < builtins.next 1~1, generator.throw 0~3
    count 1~1!1 < builtins.next 1, generator.throw 0~1
    * generator.throw 4!2
    """
    def patient():
        for _ in range(4):
            try:
                yield
            except ValueError:
                pass

    one = patient()
    next(one)
    one.throw(ValueError())
    one.throw(ValueError())
    next(one)
    try:
        one.throw(ValueError())
    except StopIteration:
        pass
    two = count(3)
    next(two)
    try:
        two.throw(KeyError())
    except KeyError:
        pass


def leaf(n):
    return n


def delegating():
    """yield from: each resumption goes through all of them; their results come back.

    list_of 1
    outer 1~7 < generator.send 1~7
    inner 2~6 < outer 2~6
    leaf 6 < inner 6
    """
    def inner(n):
        for i in range(n):
            yield leaf(i)
        return n

    def outer():
        a = yield from inner(2)
        b = yield from inner(4)
        yield a + b

    assert list_of(outer()) == [0, 1, 0, 1, 2, 3, 6]


def list_of(generator):
    result = []
    while True:
        try:
            result.append(generator.send(None))
        except StopIteration:
            return result


def tree(n):
    if n:
        yield from tree(n - 1)
        yield n
        yield from tree(n - 1)


def recursive():
    """A generator that walks a tree by generators of its own kind: each node's is a call, and resumed as deep as it is.

    tree 15/1~17 < recursive 1~7, tree 14~10
    """
    for _ in tree(3):
        pass


def interleaved():
    """Two generators of one function, in turns.

    count 2~10 < builtins.next 2~10
    """
    one, two = count(5), count(5)
    for _ in range(6):
        next(one, None)
        next(two, None)


def nested():
    """A generator that reads another, which reads a third.

    count 1~4 < doubled 1~4
    doubled 1~4 < shifted 1~4
    shifted 1~4
    leaf 4 < doubled 4
    """
    def doubled(source):
        for i in source:
            yield leaf(i) * 2

    def shifted(source):
        for i in source:
            yield i + 1

    for _ in shifted(doubled(count(4))):
        pass


def expressions():
    """Generator expressions.

    <genexpr> 3~9 < builtins.sum 2~7, builtins.max 1~2
    leaf 7 < <genexpr> 7
    """
    sum(leaf(i) for i in range(4))
    sum(leaf(i) for i in range(3))
    max(i for i in (1, 2))


def stopped_early():
    """any() and islice() leave the rest; the generators end as they are dropped.  3.14 loops instead of calling any().

    [-3.13] <genexpr> 1~2!1 < builtins.any 1~1, stopped_early 0~1
    [3.13-3.13] <genexpr> 1~1 < builtins.any 1~1
    [3.14+] <genexpr> 1~2!1
    leaf 2 < <genexpr> 2
    count 1~2!1
    [3.13-3.13] count 1~1
    """
    any(leaf(i) for i in (0, 1, 2, 3))
    for _ in itertools.islice(count(5), 2):
        pass


def thrown_through():
    """throw() through yield from: into the innermost at once, and out through the others.

    outer 2~5!1 < builtins.next 2~3, generator.throw 0~2
    inner 2~4!1 < outer 2~1, generator.throw 0~3
    leaf 4 < outer 2, inner 2
    """
    def inner():
        try:
            yield
        except ValueError:
            leaf(1)
        yield

    def outer():
        leaf(0)
        try:
            yield from inner()
        except KeyError:
            yield
        yield

    one = outer()
    next(one)
    one.throw(ValueError())
    one.throw(KeyError())
    next(one)
    try:
        one.throw(IndexError())
    except IndexError:
        pass
    two = outer()
    next(two)
    two.throw(ValueError())
    next(two)
    next(two, None)


def returned_through():
    """throw() through yield from: the innermost returns, and the one that delegated goes on.

    outer 3~6 < builtins.next 3~3, generator.throw 0~3
    inner 3~3 < outer 3, generator.throw 0~3
    """
    def inner():
        try:
            yield
        except ValueError:
            pass
        return 5

    def outer():
        result = yield from inner()
        yield result

    for _ in range(3):
        one = outer()
        next(one)
        assert one.throw(ValueError()) == 5
        next(one, None)


def raising():
    """A generator that ends by an exception, raised below it.

    faulty 3~3!3
    broken 3!3 < faulty 3
    """
    def broken():
        raise KeyError

    def faulty():
        yield
        broken()
        yield

    for _ in range(3):
        try:
            for _ in faulty():
                pass
        except KeyError:
            pass


def as_context():
    """A generator as the body of a with statement.

    managed 3~3!1 < builtins.next 3~2, generator.throw 0~1
    leaf 3
    """
    import contextlib

    @contextlib.contextmanager
    def managed():
        yield

    for i in range(3):
        try:
            with managed():
                leaf(i)
                if i == 2:
                    raise KeyError
        except KeyError:
            pass


def kept_alive():
    """A hundred generators alive at once, resumed in changing order.

    count 100~300 < builtins.next 100~300
    """
    alive = list(map(count, [3] * 100))
    for turn in range(4):
        for one in alive[::1 if turn % 2 else -1]:
            next(one, None)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
