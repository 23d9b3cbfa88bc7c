"""The mutants of a module: its syntax tree with one change. Pure; nothing is run here."""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

__all__ = ["Mutant", "mutants_of"]

_COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
}  # fmt: skip
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
#: Text with one of these words is SQL.
_SQL = re.compile(r"\b(?:SELECT|INSERT|UPDATE|DELETE|FROM|WHERE|CASE|WHEN|EXISTS|AND|OR|NOT|IS NULL)\b")
#: What is changed in it, one place at a time: the first pattern that matches there says to what.
_SQL_CHANGES = (
    (re.compile(r"\bAND\b"), "OR"),
    (re.compile(r"\bOR\b"), "AND"),
    (re.compile(r"\bIS NOT\b"), "IS"),
    (re.compile(r"\bIS\b"), "IS NOT"),
    (re.compile(r"\bNOT "), ""),
    (re.compile(r"\bDESC\b"), "ASC"),
    (re.compile(r"'[^']*'"), "'~'"),
    (re.compile(r"<="), "<"),
    (re.compile(r">="), ">"),
    (re.compile(r"<>|!="), "="),
    (re.compile(r"<"), "<="),
    (re.compile(r">"), ">="),
    (re.compile(r"="), "<>"),
)
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_DISPLAYS = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.JoinedStr, ast.Constant)
_REMOVED = (ast.Expr, ast.AugAssign, ast.Raise, ast.Delete, ast.Continue, ast.Break, ast.Assign)
#: Names whose values no run of the program depends on.
_UNUSED = ("__all__", "__slots__")


@dataclass(frozen=True, slots=True)
class _Spot:
    """A node that may be changed: its parent, field and index there, and what it stands in."""

    parent: ast.AST
    field: str
    index: int | None
    place: str
    statement: ast.stmt
    holder: ast.AST
    in_function: bool

    @property
    def node(self) -> ast.AST:
        found = getattr(self.parent, self.field)
        chosen: ast.AST = found if self.index is None else found[self.index]
        return chosen


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of the module at `path` (relative to the repository).

    `place` is the function or class it is in, empty for the module itself; `change` says what became of what;
    `lines` are the lines of the changed statement, without those of statements within it.
    """

    path: str
    place: str
    change: str
    lines: range
    _tree: ast.Module
    _spot: _Spot
    _new: ast.AST | None

    @property
    def key(self) -> str:
        """The name of the mutant in survivors.toml."""
        return f"{self.place}: {self.change}" if self.place else self.change

    def compiled(self) -> CodeType:
        """The code of the changed module, whose lines have the numbers of the unchanged one."""
        spot, new = self._spot, self._new
        kept = getattr(spot.parent, spot.field)
        keys = spot.parent.values if new is None and isinstance(spot.parent, ast.Dict) else None
        if new is not None:
            new = ast.fix_missing_locations(ast.copy_location(copy.deepcopy(new), spot.node))
        if spot.index is None:
            setattr(spot.parent, spot.field, new)
        else:
            rest = [] if new is None else [new]
            setattr(spot.parent, spot.field, [*kept[: spot.index], *rest, *kept[spot.index + 1 :]])
        if keys is not None:
            spot.parent.values = keys[: spot.index] + keys[(spot.index or 0) + 1 :]  # type: ignore[attr-defined]
        try:
            return compile(self._tree, self.path, "exec", dont_inherit=True)
        finally:
            setattr(spot.parent, spot.field, kept)
            if keys is not None:
                spot.parent.values = keys  # type: ignore[attr-defined]


def mutants_of(path: Path, root: Path) -> list[Mutant]:
    """All mutants of a module, in the order of its lines; the same for the same text."""
    tree = ast.parse(path.read_text("utf-8"))
    name = path.relative_to(root).as_posix()
    seen: Counter[str] = Counter()
    found = []
    for spot in _spots(tree):
        for new in _changes(spot):
            change = _described(spot, new)
            key = f"{spot.place}: {change}"
            seen[key] += 1
            if seen[key] > 1:
                change = f"{change} #{seen[key]}"
            found.append(Mutant(name, spot.place, change, _lines(spot.statement), tree, spot, new))
    return found


def _spots(tree: ast.Module) -> Iterator[_Spot]:
    """Every node in the order of the text, but for annotations, docstrings and what is never looked at."""

    def walk(node: ast.AST, around: tuple[str, ast.stmt | None, ast.AST, bool]) -> Iterator[_Spot]:
        place, statement, holder, inside = around
        if isinstance(node, ast.Subscript) and not inside:  # most of all, the name of a type
            return
        if isinstance(node, (*_FUNCTION, ast.ClassDef)):
            place = f"{place}.{node.name}" if place else node.name
            inside = isinstance(node, _FUNCTION)
        if isinstance(node, ast.stmt | ast.expr) and not isinstance(node, _DISPLAYS):
            holder = node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "ctx", "decorator_list", "type_params", "bases"):
                continue
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if not isinstance(child, ast.AST) or _is_passed_over(child):
                    continue
                own = child if isinstance(child, ast.stmt) else statement
                if own is not None and not isinstance(child, ast.arguments):
                    yield _Spot(node, name, index, place, own, holder, inside)
                yield from walk(child, (place, own, holder, inside))

    yield from walk(tree, ("", None, tree, False))


def _is_passed_over(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
            return name in _UNUSED
        case ast.ClassDef(bases=bases):  # a protocol is for the type checker
            return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in bases)
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _changes(spot: _Spot) -> Iterator[ast.AST | None]:
    """What may stand in place of a node; None for nothing."""
    node = spot.node
    match node:
        case ast.Compare(ops=ops):
            for number, operator in enumerate(ops):
                new = copy.deepcopy(node)
                new.ops[number] = _COMPARED[type(operator)]()
                yield new
        case ast.BoolOp(values=values):
            for number in range(len(values)):
                rest = values[:number] + values[number + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _COMPUTED:
            yield ast.BinOp(left, _COMPUTED[type(operator)](), right)
        case ast.Constant(value=str(text)) if _SQL.search(text) and not isinstance(spot.statement, ast.Raise):
            yield from _other_sql(text)
        case ast.Constant(value=value) if not isinstance(spot.parent, ast.JoinedStr):
            yield from _other_constants(spot, value)
        case ast.JoinedStr() if not isinstance(spot.statement, ast.Raise) and spot.field != "format_spec":
            yield ast.Constant("")
        case ast.Call(func=ast.Name(id=name)) if name in _CALLED:
            yield ast.Call(ast.Name(_CALLED[name], ast.Load()), node.args, node.keywords)
        case ast.Return(value=value) if value is not None and not _is_nothing(value):
            yield ast.Return(ast.Constant(None))
        case _ if isinstance(node, _REMOVED) and spot.in_function and _may_go(node):
            yield ast.Pass()
    if _is_condition(spot) and not _is_turned_already(node):
        yield ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type]
    if not spot.in_function and _is_entry(spot):
        yield None


def _is_condition(spot: _Spot) -> bool:
    if isinstance(spot.parent, ast.comprehension):
        return spot.field == "ifs"
    return isinstance(spot.parent, ast.If | ast.While | ast.IfExp) and spot.field == "test"


def _is_turned_already(node: ast.AST) -> bool:
    """Whether another change already gives the opposite of this condition."""
    match node:
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Compare(ops=[ast.Eq() | ast.NotEq() | ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
            return True
    return False


def _other_constants(spot: _Spot, value: object) -> Iterator[ast.Constant]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
    elif isinstance(value, str | bytes) and value and not isinstance(spot.statement, ast.Raise):
        yield ast.Constant("" if isinstance(value, str) else b"")


def _other_sql(text: str) -> Iterator[ast.Constant]:
    """The text with one word or sign changed. `told` says which, with what stands around it."""
    place = 0
    while place < len(text):
        for pattern, new in _SQL_CHANGES:
            if found := pattern.match(text, place):
                end = found.end()
                changed = ast.Constant(text[:place] + new + text[end:])
                around = f"{text[max(0, place - 30) : place]}[{found[0]} -> {new}]{text[end : end + 30]}"
                changed.told = "SQL: " + " ".join(around.split())  # type: ignore[attr-defined]
                yield changed
                place = end - 1
                break
        place += 1


def _is_nothing(node: ast.AST) -> bool:
    """Whether a caller cannot tell a value from None by asking whether it is true."""
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def _may_go(node: ast.AST) -> bool:
    """Whether something is left that runs when the statement is taken out: a new name is not."""
    if isinstance(node, ast.Assign):
        return not all(isinstance(target, ast.Name | ast.Tuple) for target in node.targets)
    return True


def _is_entry(spot: _Spot) -> bool:
    """Whether a node is an entry of a table: of a tuple, list or set, or a key of a dictionary."""
    if isinstance(spot.parent, ast.Tuple | ast.List | ast.Set):
        return (
            spot.field == "elts"
            and len(spot.parent.elts) > 1
            and isinstance(getattr(spot.parent, "ctx", ast.Load()), ast.Load)
        )
    return isinstance(spot.parent, ast.Dict) and spot.field == "keys"


def _described(spot: _Spot, new: ast.AST | None) -> str:
    node = spot.node
    if told := getattr(new, "told", ""):
        return str(told)
    before = _short(node)
    if new is None or isinstance(new, ast.Pass):
        return f"{before} is left out"
    change = f"{before} -> {_short(new)}"
    if isinstance(node, ast.Constant) and not (isinstance(node.value, str | bytes) and len(node.value) > 20):
        first_line = ast.unparse(spot.holder).partition("\n")[0]
        return f"{change} in {_short(first_line)}"
    return change


def _short(node: ast.AST | str, most: int = 90) -> str:
    """The text of a node on one line; a long one is cut in its middle."""
    text = " ".join((node if isinstance(node, str) else ast.unparse(node)).split())
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 2 :]}"


def _lines(statement: ast.stmt) -> range:
    """The lines of a statement, or of the head of one that holds others."""
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return range(statement.lineno, max(statement.lineno + 1, body[0].lineno))
    return range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
