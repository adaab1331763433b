"""Magics for IPython and Jupyter: `%load_ext hasten`.

    %hasten work()                      samples a statement; %%hasten a cell
    %hasten -t work()                   traces it: every call
    %hasten_lines -f parse -f Parser work()     lines of functions and classes; %%hasten_lines a cell

    -r RATE      samples a second (default 1000; "10khz", "max")
    -t           every call, exactly
    -p           with -t: functions of Python alone
    -s OPTIONS   as `hasten show` takes them, such as -s "--callers parse"
    -o FILE      also exports the run, in the format of the file's ending
    -n NAME      names the run
    -q           prints nothing
    -R           gives the run (hasten.Run; %hasten_lines: the profiler) as the cell's value
"""
import shlex
from typing import Any, Dict, List, Optional, Union

from hasten._command import Error
from hasten._lines import LineProfiler, lines
from hasten._run import Run
from hasten._sample import sample
from hasten._trace import trace


class _Wish:
    """A magic's line, and a cell below it."""

    def __init__(self, magics: Any, line: str, cell: Optional[str], options: str) -> None:
        from IPython.core.error import UsageError

        opts, code = magics.parse_options(line, options, posix=False, list_all=True)
        self.options: Dict[str, List[str]] = {key: list(value) for key, value in opts.items()}
        self.code = code if cell is None else "%s\n%s" % (code, cell)
        if not self.code.strip():
            raise UsageError("there is nothing to run: %hasten STATEMENT, or %%hasten above a cell")
        self.shell = magics.shell

    def text(self, key: str) -> Optional[str]:
        return self.options[key][-1].strip("\"'") if key in self.options else None

    def __contains__(self, key: str) -> bool:
        return key in self.options

    def compiled(self) -> Any:
        """As the shell runs a cell: with its syntax, and with a source that tracebacks and line profiles find."""
        source = self.shell.transform_cell(self.code)
        name = self.shell.compile.cache(source)
        return self.shell.compile(source, name, "exec")


def _execute(wish: _Wish, code: Any) -> None:
    try:
        exec(code, wish.shell.user_ns)
    except SystemExit as end:
        print("hasten: the code ended by SystemExit(%s)" % end.code)
    except KeyboardInterrupt:
        print("hasten: interrupted; this is what was measured up to then")


def _measure(wish: _Wish) -> Optional[Run]:
    code = wish.compiled()
    measurement: Union[sample, trace] = (trace(python_only="p" in wish, name=wish.text("n")) if "t" in wish else
                                         sample(wish.text("r") or 1000, name=wish.text("n")))
    try:
        with measurement:
            _execute(wish, code)
        run = measurement.run
        if run is None:
            print("hasten: nothing was measured: it was over too soon; -t counts every call")
            return None
        if "q" not in wish:
            run.print(*shlex.split(wish.text("s") or ""))
        if "o" in wish:
            run.export(wish.text("o") or "")
    except Error as error:
        print("hasten: %s" % error)
        return None
    return run if "R" in wish else None


def _measure_lines(wish: _Wish) -> Optional[LineProfiler]:
    from IPython.core.error import UsageError

    code = wish.compiled()
    places = []
    for name in wish.options.get("f", []):
        try:
            places.append(eval(name, wish.shell.user_ns))
        except Exception as error:
            raise UsageError("-f %s: %s: %s" % (name, type(error).__name__, error)) from None
    if not places:
        raise UsageError("no function is named: %hasten_lines -f FUNCTION STATEMENT")
    try:
        profiler = lines(*places)
        with profiler:
            _execute(wish, code)
        if "q" not in wish:
            profiler.print_stats()
        if "o" in wish:
            profiler.dump_stats(wish.text("o") or "")
    except Error as error:
        print("hasten: %s" % error)
        return None
    return profiler if "R" in wish else None


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext hasten`."""
    from IPython.core.magic import Magics, line_cell_magic, magics_class

    @magics_class
    class HastenMagics(Magics):
        @line_cell_magic
        def hasten(self, line: str, cell: Optional[str] = None) -> Optional[Run]:
            return _measure(_Wish(self, line, cell, "tpqRr:s:o:n:"))

        @line_cell_magic
        def hasten_lines(self, line: str, cell: Optional[str] = None) -> Optional[LineProfiler]:
            return _measure_lines(_Wish(self, line, cell, "qRf:o:"))

    HastenMagics.hasten.__doc__ = HastenMagics.hasten_lines.__doc__ = __doc__
    shell.register_magics(HastenMagics)
