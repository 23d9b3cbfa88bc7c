"""Replaces the per-recipient names of a template by calls that make a slot, before it is compiled.

`{{ subscriber.name or _("reader") }}` becomes `make_slot(("subscriber.name",), _("reader"), …)`. Nothing is
known of the reader when a template runs, so any other use of such a name (a condition, a filter, an
assignment) would silently be wrong for everybody: it is an error at its line.

Two more things are done to the tree here: loops are counted, so that none is endless, and imported
macros see the context, so that `_` and the slots work in them.
"""

from __future__ import annotations

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from mailer.issue.values.expressions import ALLOWED, LINKS, slot_path

__all__ = ["rewrite_slots"]

_RESERVED = ("subscriber", "links")
#: Calls that would store a slot as a value, which a template could then test.
_STORING = ("dict", "namespace", "range", "cycler", "joiner")


def rewrite_slots(tree: nodes.Template, name: str) -> nodes.Template:
    """Changes the tree of a template in place and returns it. Raises TemplateSyntaxError."""
    _Rewriter(name).visit(tree)
    return tree


class _Rewriter:
    def __init__(self, name: str) -> None:
        self.name = name

    def fail(self, message: str, line: int) -> TemplateSyntaxError:
        return TemplateSyntaxError(message, line, self.name, self.name)

    def visit(self, node: nodes.Node, printed: bool = False) -> nodes.Node:
        """Returns the node that takes the place of `node`. `printed` says that its value is only printed."""
        if isinstance(node, nodes.Expr):
            steps = _alternatives(node)
            if steps is not None:
                return self.slot(node, *steps, printed)
        if isinstance(node, nodes.Name) and node.name in _RESERVED:
            if node.ctx != "load":
                raise self.fail(f'"{node.name}" is a name of the theme itself; choose another', node.lineno)
            if node.name == "subscriber":
                raise self.fail(f"subscriber cannot be used as a whole; there are {ALLOWED}", node.lineno)
        if isinstance(node, nodes.Import | nodes.FromImport):
            node.with_context = True
        for field, value in list(node.iter_fields()):
            inside = _is_printed(node, field, printed)
            if isinstance(value, list):
                changed = [self.visit(v, inside) if isinstance(v, nodes.Node) else v for v in value]
                setattr(node, field, changed)
            elif isinstance(value, nodes.Node):
                setattr(node, field, self.visit(value, inside))
        if isinstance(node, nodes.For):
            node.iter = _call("count_loop", [node.iter], node.lineno)
        return node

    def slot(
        self, node: nodes.Expr, names: list[tuple[str, ...]], default: nodes.Expr | None, printed: bool
    ) -> nodes.Expr:
        try:
            paths = tuple(slot_path(steps) for steps in names)
        except ValueError as error:
            raise self.fail(str(error), node.lineno) from None
        if not printed:
            raise self.fail(
                f"{paths[0]} differs between readers and is filled in later, so it can only be printed, with "
                f'alternatives after "or", as in {{{{ {paths[0]} or "…" }}}}',
                node.lineno,
            )
        last = self.visit(default) if default is not None else nodes.Const("", lineno=node.lineno)
        arguments = [
            nodes.Const(paths, lineno=node.lineno),
            last,
            nodes.Const(self.name, lineno=node.lineno),
            nodes.Const(node.lineno, lineno=node.lineno),
        ]
        return _call("make_slot", arguments, node.lineno)


def _call(name: str, arguments: list[nodes.Node], line: int) -> nodes.Call:
    """Returns a call of a method of the environment, which no template can name."""
    return nodes.Call(nodes.EnvironmentAttribute(name, lineno=line), arguments, [], None, None, lineno=line)


def _is_printed(node: nodes.Node, field: str, printed: bool) -> bool:
    """Returns whether a value in this field of a node is only printed."""
    match node:
        case nodes.Output():
            return True
        case nodes.Concat() | nodes.MarkSafe() | nodes.MarkSafeIfAutoescape() | nodes.Keyword():
            return printed
        case nodes.CondExpr():
            return printed and field in ("expr1", "expr2")
        case nodes.Call():
            stores = isinstance(node.node, nodes.Name) and node.node.name in _STORING
            return field in ("args", "kwargs") and not stores
    return False


def _alternatives(node: nodes.Expr) -> tuple[list[tuple[str, ...]], nodes.Expr | None] | None:
    """Returns the names of `a or b or default` where it begins with a per-recipient one, and the default."""
    if not isinstance(node, nodes.Or):
        steps = _steps(node)
        return None if steps is None else ([steps], None)
    left = _alternatives(node.left)
    if left is None or left[1] is not None:
        return None
    steps = _steps(node.right)
    return (left[0], node.right) if steps is None else ([*left[0], steps], None)


def _steps(node: nodes.Node) -> tuple[str, ...] | None:
    """Returns `("subscriber", "attributes", "city")` for such an expression; None for any other."""
    steps: list[str] = []
    while True:
        if isinstance(node, nodes.Getattr):
            steps.append(node.attr)
            node = node.node
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            steps.append(str(node.arg.value))
            node = node.node
        elif isinstance(node, nodes.Name) and node.name in _RESERVED and node.ctx == "load":
            steps.append(node.name)
            break
        else:
            return None
    steps.reverse()
    if len(steps) == 1 or (steps[0] == "links" and steps[1] not in LINKS):
        return None
    return tuple(steps)
