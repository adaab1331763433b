"""Questions on stacks as tests see them: which calls can exist, and where a line is."""
import ast
import pathlib

TARGETS = pathlib.Path(__file__).resolve().parents[1] / "targets"


def edges_of(target):
    """The EDGES of a target, read without running it."""
    tree = ast.parse((TARGETS / target).read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "EDGES":
            return ast.literal_eval(node.value)
    raise LookupError(target)


def impossible_edges(frames, edges):
    """frames from the root to the leaf -> the pairs that no run of the target can have."""
    leaves = {callee for callees in edges.values() for callee in callees} - set(edges)
    wrong = []
    for caller, callee in zip(frames, frames[1:]):
        if caller in edges and callee not in edges[caller] and callee not in ("_find_and_load", "__enter__"):
            wrong.append((caller, callee))
        elif caller in leaves and callee in edges:
            wrong.append((caller, callee))
    return wrong


def line_of(target, text, after=None):
    """The number of the line in a target that contains text (the first one after the line with `after`)."""
    seen = after is None
    for number, line in enumerate((TARGETS / target).read_text().splitlines(), 1):
        if seen and text in line:
            return number
        seen = seen or after in line
    raise LookupError((target, text))
