"""Compiles the tree of a segment to SQL: a condition that is 0 or 1, with a parameter for every value."""

from __future__ import annotations

import datetime as dt

from mailer.audience.consent.suppression import is_suppressed_sql
from mailer.audience.segments.fields import SUPPRESSED
from mailer.audience.segments.grammar import BooleanGroup, Comparison, Negation, Node
from mailer.audience.segments.tokens import Literals
from mailer.clock import utc_text

__all__ = ["compile_tree"]

Sql = tuple[str, tuple[object, ...]]

_YES = ("true", "yes", "y", "1", "是")
_NO = ("false", "no", "n", "0", "否")

# An attribute as text; NULL where it is missing, null, a list or an object.
_AS_TEXT = """CASE t WHEN 'text' THEN v WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
    WHEN 'integer' THEN CAST(v AS TEXT) WHEN 'real' THEN CAST(v AS TEXT) END"""

# An attribute as a number. An import stores only texts, so the text of a plain number counts as one.
_UNSIGNED = "(CASE WHEN substr(v, 1, 1) IN ('-', '+') THEN substr(v, 2) ELSE v END)"
_AS_NUMBER = f"""CASE t WHEN 'integer' THEN v WHEN 'real' THEN v WHEN 'text' THEN
    CASE WHEN {_UNSIGNED} GLOB '[0-9]*' AND {_UNSIGNED} NOT GLOB '*[^0-9.]*' AND {_UNSIGNED} NOT GLOB '*.*.*'
    THEN CAST(v AS NUMERIC) END END"""

# An attribute as a day: a text that begins with one.
_AS_DAY = """CASE WHEN t = 'text' AND v GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
    THEN substr(v, 1, 10) END"""

# Most people of most lists have no tag. `has_tag` is a function of `store`: SQLite's own lower() knows the
# case of A to Z alone.
_TAGGED = "({s}.tags <> '[]' AND has_tag({s}.tags, ?))"

_SUBSCRIBED = """EXISTS (SELECT 1 FROM subscriptions AS reads
    WHERE reads.edition = ? AND reads.subscriber_id = {s}.id)"""


def compile_tree(node: Node, table_alias: str, zone: dt.tzinfo) -> Sql:
    """Returns the SQL condition of a tree, and the condition's parameters.

    A day in the tree begins at midnight in `zone`. The condition is never NULL, so `not` and `!=` are exact
    opposites. `table_alias` is the name of the table `subscribers` in the statement.
    """
    if isinstance(node, Negation):
        sql, params = compile_tree(node.part, table_alias, zone)
        return f"(NOT {sql})", params
    if isinstance(node, BooleanGroup):
        parts = [compile_tree(part, table_alias, zone) for part in node.parts]
        return _joined_sql(parts, node.word)
    return _joined_sql([_comparison_sql(node, value, table_alias, zone) for value in node.values], "or")


def _joined_sql(parts: list[Sql], operator: str) -> Sql:
    if len(parts) == 1:
        return parts[0]
    return f"({f' {operator.upper()} '.join(sql for sql, _ in parts)})", tuple(
        p for _, ps in parts for p in ps
    )


def _comparison_sql(comparison: Comparison, value: Literals, table_alias: str, zone: dt.tzinfo) -> Sql:
    field, sign = comparison.field, "=" if comparison.sign in ("==", "in") else comparison.sign
    if field.kind == "tags":
        return _TAGGED.format(s=table_alias), (str(value).casefold(),)
    if field.kind == "editions":
        return _SUBSCRIBED.format(s=table_alias), (value,)
    if field.kind == "flag":
        return (is_suppressed_sql(table_alias) if value else f"(NOT {is_suppressed_sql(table_alias)})"), ()
    if field.kind == "status":
        return _status_comparison_sql(str(value), table_alias)
    if field.kind == "attribute":
        return _attribute_comparison_sql(field.attribute, sign, value, table_alias)
    if isinstance(value, dt.date):
        return _day_comparison_sql(f"{table_alias}.{field.column}", sign, value, zone)
    if field.kind == "language" and value:
        # RFC 4647 basic filtering: zh is also zh-Hans-CN.
        column = f"{table_alias}.{field.column}"
        return f"({column} = ? OR substr({column}, 1, ?) = ?)", (value, len(str(value)) + 1, f"{value}-")
    return f"ifnull({table_alias}.{field.column} = ?, 0)", (value,)


def _status_comparison_sql(status: str, table_alias: str) -> Sql:
    if status == SUPPRESSED:
        return is_suppressed_sql(table_alias), ()
    also = f" AND NOT {is_suppressed_sql(table_alias)}" if status in ("active", "pending") else ""
    return f"({table_alias}.status = ?{also})", (status,)


def _day_comparison_sql(column: str, sign: str, day: dt.date, zone: dt.tzinfo) -> Sql:
    """Returns a condition that compares a UTC time with a day. The day begins at midnight in `zone`."""
    first, after = (_midnight_in_utc(day + dt.timedelta(days=days), zone) for days in (0, 1))
    if sign == "=":
        return f"({column} >= ? AND {column} < ?)", (first, after)
    edge = {"<": ("<", first), "<=": ("<", after), ">": (">=", after), ">=": (">=", first)}
    sql_sign, moment = edge[sign]
    return f"({column} {sql_sign} ?)", (moment,)


def _midnight_in_utc(day: dt.date, zone: dt.tzinfo) -> str:
    return utc_text(dt.datetime.combine(day, dt.time(), tzinfo=zone))


def _attribute_comparison_sql(attribute: str, sign: str, value: Literals, table_alias: str) -> Sql:
    path = f'$."{attribute}"'
    params: tuple[object, ...]
    if isinstance(value, bool):
        words = _YES if value else _NO
        test, params = f"lower({_AS_TEXT}) IN ({', '.join('?' * len(words))})", words
    elif isinstance(value, int | float):
        test, params = f"({_AS_NUMBER}) {sign} ?", (value,)
    elif isinstance(value, dt.date):
        test, params = f"({_AS_DAY}) {sign} ?", (value.isoformat(),)
    elif value == "" and sign == "=":
        test, params = f"(t IS NULL OR t = 'null' OR ({_AS_TEXT}) IS '')", ()
    else:
        test, params = f"({_AS_TEXT}) {sign} ?", (value,)
    column = f"{table_alias}.attributes"
    parsed = f"SELECT json_type({column}, ?) AS t, json_extract({column}, ?) AS v"
    return f"ifnull((SELECT {test} FROM ({parsed})), 0)", (*params, path, path)
