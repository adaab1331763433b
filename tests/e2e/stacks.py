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


def impossible_edges(frames, edges, target):
    """frames from the root to the leaf, as (name, file) -> the pairs that no run of the target can have.  What
    other files do (imports while the program starts) is their own affair."""
    leaves = {callee for callees in edges.values() for callee in callees} - set(edges)
    wrong = []
    for (caller, file), (callee, callee_file) in zip(frames, frames[1:]):
        if not file.endswith("/" + target):
            continue
        own = callee_file.endswith("/" + target)
        if caller in edges and own and callee not in edges[caller]:
            wrong.append((caller, callee))
        elif caller in leaves:
            wrong.append((caller, callee))
    return wrong


def judge(run, target):
    """A stored run of a target -> samples, call edges in them, impossible ones, and examples of these."""
    edges = edges_of(target)
    total = edge_total = wrong = 0
    examples = []
    for stack, count in run.counts().items():
        frames = [(row["name"], row["file"]) for row in run.functions_of(stack)]
        bad = impossible_edges(frames, edges, target)
        total += count
        edge_total += count * max(len(frames) - 1, 0)
        wrong += count * len(bad)
        if bad:
            examples.append((bad, [name for name, _ in frames]))
    return total, edge_total, wrong, examples[:5]


def line_of(target, text, after=None):
    """The number of the line in a target that contains text (the first one after the line with `after`)."""
    seen = after is None
    for number, line in enumerate((TARGETS / target).read_text().splitlines(), 1):
        if seen and text in line:
            return number
        seen = seen or after in line
    raise LookupError((target, text))
