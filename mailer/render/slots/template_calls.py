"""Replaces the per-recipient names of a template by calls that make a slot, before it is compiled.

`{{ subscriber.name or _("reader") }}` becomes `make_slot(("subscriber.name",), _("reader"), …)`. The reader
is not known when a template runs, so a per-recipient name in a condition, a filter or an assignment
would give every reader the same result. Such a use is an error, reported with the line.

The module also changes two other things in a template: loops are counted, so that none is endless, and
imported macros see the context, so that `_` and the slots work in them.
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
    """Replaces the per-recipient names in the tree of a template, in place, and returns the tree.

    `name` is the name of the template, for error messages. Raises TemplateSyntaxError if a name is used in a
    way that is not allowed.
    """
    _SlotRewriter(name).rewrite(tree)
    return tree


class _SlotRewriter:
    def __init__(self, name: str) -> None:
        self.name = name

    def syntax_error(self, message: str, line: int) -> TemplateSyntaxError:
        return TemplateSyntaxError(message, line, self.name, self.name)

    def rewrite(self, node: nodes.Node, is_printed_only: bool = False) -> nodes.Node:
        """Returns the node that replaces `node`. `is_printed_only` is True if the template only prints the
        value of `node`.
        """
        if isinstance(node, nodes.Expr):
            steps = _slot_alternatives(node)
            if steps is not None:
                return self.make_slot_call(node, *steps, is_printed_only)
        if isinstance(node, nodes.Name) and node.name in _RESERVED:
            if node.ctx != "load":
                raise self.syntax_error(f'"{node.name}" is a reserved name; choose another one', node.lineno)
            if node.name == "subscriber":
                raise self.syntax_error(
                    f"subscriber itself cannot be used; the allowed names are {ALLOWED}", node.lineno
                )
        if isinstance(node, nodes.Import | nodes.FromImport):
            node.with_context = True
        for field, value in list(node.iter_fields()):
            is_printed_inside = _is_printed_field(node, field, is_printed_only)
            if isinstance(value, list):
                changed = [
                    self.rewrite(v, is_printed_inside) if isinstance(v, nodes.Node) else v for v in value
                ]
                setattr(node, field, changed)
            elif isinstance(value, nodes.Node):
                setattr(node, field, self.rewrite(value, is_printed_inside))
        if isinstance(node, nodes.For):
            node.iter = _environment_call("count_loop", [node.iter], node.lineno)
        return node

    def make_slot_call(
        self,
        node: nodes.Expr,
        names: list[tuple[str, ...]],
        default: nodes.Expr | None,
        is_printed_only: bool,
    ) -> nodes.Expr:
        try:
            paths = tuple(slot_path(steps) for steps in names)
        except ValueError as error:
            raise self.syntax_error(str(error), node.lineno) from None
        if not is_printed_only:
            raise self.syntax_error(
                f"{paths[0]} differs between readers and is filled in later, so it can only be printed, with "
                f'alternatives after "or", as in {{{{ {paths[0]} or "…" }}}}',
                node.lineno,
            )
        last = self.rewrite(default) if default is not None else nodes.Const("", lineno=node.lineno)
        arguments = [
            nodes.Const(paths, lineno=node.lineno),
            last,
            nodes.Const(self.name, lineno=node.lineno),
            nodes.Const(node.lineno, lineno=node.lineno),
        ]
        return _environment_call("make_slot", arguments, node.lineno)


def _environment_call(name: str, arguments: list[nodes.Node], line: int) -> nodes.Call:
    """Returns a node that calls the method `name` of the environment. Templates cannot call it by name."""
    return nodes.Call(nodes.EnvironmentAttribute(name, lineno=line), arguments, [], None, None, lineno=line)


def _is_printed_field(node: nodes.Node, field: str, is_printed_only: bool) -> bool:
    """Returns whether the template only prints the value of the child node in the field `field` of `node`.

    `is_printed_only` is True if the value of `node` itself is only printed.
    """
    match node:
        case nodes.Output():
            return True
        case nodes.Concat() | nodes.MarkSafe() | nodes.MarkSafeIfAutoescape() | nodes.Keyword():
            return is_printed_only
        case nodes.CondExpr():
            return is_printed_only and field in ("expr1", "expr2")
        case nodes.Call():
            stores = isinstance(node.node, nodes.Name) and node.node.name in _STORING
            return field in ("args", "kwargs") and not stores
    return False


def _slot_alternatives(node: nodes.Expr) -> tuple[list[tuple[str, ...]], nodes.Expr | None] | None:
    """Returns the per-recipient names in an expression like `a or b or default`, and the node of the default.

    A name is a tuple such as `("subscriber", "name")`. The node is None if there is no default.

    Returns None if the expression does not begin with a per-recipient name.
    """
    if not isinstance(node, nodes.Or):
        steps = _steps_of_slot_name(node)
        return None if steps is None else ([steps], None)
    left = _slot_alternatives(node.left)
    if left is None or left[1] is not None:
        return None
    steps = _steps_of_slot_name(node.right)
    return (left[0], node.right) if steps is None else ([*left[0], steps], None)


def _steps_of_slot_name(node: nodes.Node) -> tuple[str, ...] | None:
    """Returns `("subscriber", "attributes", "city")` for the expression `subscriber.attributes.city`.

    Returns None for an expression that is not a per-recipient name.
    """
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
