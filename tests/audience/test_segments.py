from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from mailer.audience.people import Subscriber, list_subscribers
from mailer.audience.segments import parse_segment
from mailer.errors import SegmentError

Add = Callable[..., Subscriber]


@pytest.fixture
def matches(db: Database, person: Add) -> Callable[[str], bool]:
    """Is Li in a segment?"""
    number = person(
        "Li@bücher.test",
        "morning",
        "evening",
        name="李伟",
        language="zh-Hans-CN",
        timezone="Asia/Shanghai",
        tags=("vip", 'a"press', "x\\"),
        attributes={
            "company": "Acme",
            "age": "30",
            "score": 1.5,
            "paid": True,
            "trial": "no",
            "since": "2025-03-04",
            "公司": "好",
            "odd key": "1",
            "none": None,
            "list": [1],
            "count": 7,
            "code": "007",
            "mixed": "1.2.3",
        },
    ).id
    db.conn.execute(
        "UPDATE subscribers SET joined_at = '2026-01-01T16:00:00.000000Z' WHERE id = ?", (number,)
    )
    return lambda text: bool(list(list_subscribers(db, segment=parse_segment(text))))


@pytest.mark.parametrize(
    "text",
    [
        'language == "zh"',
        'language == "zh-CN"',
        'language in ("en", "zh")',
        'language != "en"',
        'language != ""',
        '"vip" in tags',
        '"VIP" in tags',
        '"A\\"Press" in tags',
        '"press" not in tags',
        "'a\"press' in tags",
        '"x\\\\" in tags',
        '"morning" in editions',
        '"feature" not in editions',
        'email == "LI@BÜCHER.test"',
        'email in ["li@xn--bcher-kva.test"]',
        'domain == "bücher.test"',
        'name == "李伟"',
        'timezone == "Asia/Shanghai"',
        'status == "active"',
        'status not in ("bounced",)',
        "joined > 2026-01-01 or joined == 2026-01-01",
        "joined == 2026-01-01",
        "joined >= 2026-01-01",
        "joined <= 2026-01-01",
        "joined < 2026-01-02",
        "2025-12-31 < joined",
        'joined > "2025-12-31"',
        "joined != 2026-01-02",
        'company == "Acme"',
        'attributes.company == "Acme"',
        'attributes["odd key"] == "1"',
        '公司 == "好"',
        'company in ("Acme", 3)',
        'company > "A"',
        'not company == "Other"',
        "age > 29",
        "age == 30",
        "30.0 == age",
        "age < 30.5",
        "age in (29, 30)",
        'age == "30"',
        "score == 1.5",
        "score > 1",
        "score < 2",
        'score == "1.5"',
        "count == 7",
        'count == "7"',
        "code == 7",
        'code == "007"',
        "paid == true",
        'paid == "true"',
        "trial == false",
        "trial != true",
        "count != true",
        "since > 2025-01-01",
        "since == 2025-03-04",
        "since < 2025-03-05",
        'missing != "x"',
        'missing == ""',
        'missing in ("", "x")',
        'none == ""',
        'not missing != ""',
        'company != ""',
        "missing != 1",
        'not missing == "x"',
        "not missing > 1",
        "none != 1",
        "list != 1",
        "mixed != 1.2",
        "company != 1",
        "attributes.in != 1",
        "attributes.language != 1",
        'language == "zh" and "vip" in tags and joined > 2025-01-01',
        'company == "x" or (age > 1 and not (age > 100))',
        "NOT age > 100 AND TRUE == paid",
        'language == "en" and age == 1 or age == 30',
        "age\n>\n29",
    ],
)
def test_li_is_in(matches: Callable[[str], bool], text: str) -> None:
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        'language == "en"',
        'language == "en-US"',
        '"vi" in tags',
        '"press" in tags',
        '"feature" in editions',
        'email == "other@example.org"',
        'domain != "bücher.test"',
        "joined > 2026-01-01",
        "joined < 2026-01-01",
        "joined == 2026-01-02",
        "joined >= 2026-01-02",
        "age < 30",
        "age == 31",
        "age > 1000",
        'age == "030"',
        "company == 1",
        "company > 1",
        "company == true",
        "paid == false",
        "paid == 2",
        "trial == true",
        "since > 2026-01-01",
        "company > 2020-01-01",
        'missing == "x"',
        'missing != ""',
        'company == ""',
        'list == ""',
        'paid == ""',
        'count == ""',
        'missing > ""',
        'missing >= ""',
        "missing > 1",
        "missing == true",
        "missing > 2020-01-01",
        'missing in ("x", 1)',
        "none == 1",
        'none == "null"',
        "list == 1",
        "mixed == 1.2",
        'company == "acme"',
        'not language == "zh"',
        "age > 29 and age > 30",
    ],
)
def test_li_is_not_in(matches: Callable[[str], bool], text: str) -> None:
    assert not matches(text)


@pytest.mark.parametrize(
    ("language", "is_in"),
    [("zh", True), ("zh-CN", True), ("zh-Hans-CN", True), ("zha", False), ("zhx-CN", False), ("z", False)],
)
def test_a_language_is_also_its_subtags_and_no_other_language_that_begins_like_it(
    db: Database, person: Add, language: str, is_in: bool
) -> None:
    person("a@example.org", language=language)
    assert bool(list(list_subscribers(db, segment=parse_segment('language == "zh"')))) is is_in
    assert bool(list(list_subscribers(db, segment=parse_segment('language != "zh"')))) is not is_in


def test_names_and_attributes_are_compared_however_their_letters_are_composed(
    db: Database, person: Add
) -> None:
    person("a@example.org", name="Zoé", tags=("Café",), attributes={"café": "Orléans"})
    for text in (
        'name == "Zoe\u0301"',
        '"cafe\u0301" in tags',
        'attributes["cafe\u0301"] == "Orle\u0301ans"',
    ):
        assert len(list(list_subscribers(db, segment=parse_segment(text)))) == 1, text


@pytest.mark.parametrize("tags", ["", "{", "null", "5", '["vip"', '[["vip"]]', '"vip"', "{}", "[" * 10_000])
def test_tags_that_are_damaged_are_no_tags(db: Database, person: Add, tags: str) -> None:
    person("a@example.org")
    db.conn.execute("UPDATE subscribers SET tags = ?", (tags,))
    assert not list(list_subscribers(db, segment=parse_segment('"vip" in tags')))
    assert len(list(list_subscribers(db, segment=parse_segment('"vip" not in tags')))) == 1


def test_days_begin_at_midnight_where_the_publication_is(db: Database, person: Add) -> None:
    person("a@example.org")
    db.conn.execute("UPDATE subscribers SET joined_at = '2026-01-01T16:00:00.000000Z'")
    shanghai = parse_segment("joined == 2026-01-02", ZoneInfo("Asia/Shanghai"))
    assert len(list(list_subscribers(db, segment=shanghai))) == 1
    assert not list(list_subscribers(db, segment=parse_segment("joined == 2026-01-02")))


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        ("", 1, 'the expression is empty; write one such as language == "zh"'),
        ("  ", 1, "the expression is empty"),
        ('langauge == "zh"', 1, '"langauge" is not a field; did you mean language? (an attribute'),
        ('age > 1 and lang == "zh"', 13, '"lang" is not a field; did you mean language?'),
        ("language == zh", 13, 'both sides are fields; put a value in quotes, as in "zh"'),
        ('language = "zh"', 10, '"=" does not belong here; write == to compare'),
        ("language == “zh”", 13, '"“" does not belong here; use straight quotes'),
        ('language == "zh', 13, "a quote is opened here and not closed"),
        ("a == 1 && b == 2", 8, 'write the word "and"'),
        ("a == 1 | b == 2", 8, 'write the word "or"'),
        ("!a", 1, 'the word "not"'),
        ("a == 1;", 7, '";" does not belong here'),
        ("a == 1 b == 2", 8, '"b" is not expected here; join comparisons with and / or'),
        ("1 < a < 3", 7, "a comparison must have two sides only; join two comparisons with the word and"),
        ("(a == 1", 8, "the bracket in column 1 is not closed; write ) here"),
        ("a == 1)", 7, '")" is not expected here'),
        ("a ==", 5, "a field or a value is expected here, not the end"),
        ("a == and", 6, 'a field or a value is expected here, not "and"'),
        ("language", 9, "language is not compared with anything; write language == …"),
        ("tags", 5, 'tags is not compared with anything; write "…" in tags'),
        ('tags == "vip"', 9, 'tags is a list; write "…" in tags'),
        ("true", 1, "a value alone is no comparison; compare a field with it"),
        ('"a" == "a"', 1, "both sides are values; compare a field with a value"),
        ('"a" in name', 8, 'after a value, "in" must be followed by tags or editions'),
        ('"a" in ("a")', 8, 'after a value, "in" must be followed by tags or editions'),
        ("1 in tags", 1, 'tags are texts; put the value in quotes, as in "…" in tags'),
        ('tags in ("a")', 10, "tags is a list"),
        ('company in "Acme"', 12, 'write the values in brackets, as in attributes.company in ("…", "…")'),
        ("company in ()", 12, "the list is empty; write at least one value"),
        ("company in (1 2)", 15, "a comma or ) is expected here"),
        ("company in [1, b]", 16, "a value in quotes, or ], is expected here"),
        ("company in (1", 14, "a comma or ) is expected here"),
        ("company in (1,", 15, "a value in quotes, or ), is expected here"),
        ("language == 1", 13, 'language is text; put the value in quotes, as in language == "…"'),
        ('name > "A"', 8, "name has no order; use ==, != or in"),
        ("paid > true", 8, "true and false have no order; use == or !="),
        ('joined > "last week"', 10, "joined is a date; compare it with a day such as 2026-01-31"),
        ("joined > 5", 10, "joined is a date"),
        ('joined > "0001-01-01"', 10, "joined is a date"),
        ("joined > 2026-02-30", 10, "2026-02-30 is not a day of the calendar; write it as 2026-01-31"),
        ("joined > 2026-1-1", 10, "2026-1-1 is not a day of the calendar"),
        ("joined > 0001-01-01", 10, "0001-01-01 must be in a year from 1900 to 9998"),
        ("joined > 2026-01-01T00:00", 10, '"2026-01-01T00:00" is neither a number nor a date'),
        ("age > 1.2.3", 7, '"1.2.3" is neither a number nor a date such as 2026-01-31'),
        ("age > 123456789012345678901", 7, "has too many digits; put it in quotes if it is text"),
        ("age > -", 7, '"-" does not belong here'),
        ('email == "li"', 10, '"li" is not an e-mail address: it has no @'),
        ('domain == "x y"', 11, '"x y" is not the domain of an address'),
        ('language == "klingonese"', 13, 'the language "klingonese" is not known'),
        ('timezone == "Beijing"', 13, 'the time zone "Beijing" is not known'),
        ('status == "actve"', 11, '"actve" is not a status; did you mean active?'),
        ('status == "x"', 11, "choose from pending, active"),
        ('subscriber.name == "x"', 1, 'leave out "subscriber."; the fields are email, domain'),
        ('name.first == "x"', 1, "only attributes have parts; write attributes.NAME"),
        ("attributes == 1", 1, 'name the attribute, as in attributes.company or attributes["company"]'),
        ("attributes.1 == 1", 1, "name the attribute"),
        ("attributes[1] == 1", 1, "name the attribute"),
        ('attributes["a" == 1', 1, "name the attribute"),
        ("attributes[''] == 1", 12, "the name of an attribute must not be empty"),
        ("attributes['a\"b'] == 1", 12, "must not have quotes or backslashes"),
        ('name == "a\x00b"', 9, "the text holds a control character; remove it"),
        ('name == "a\\n"', 9, "is not an escape; a backslash can escape only a quote or another backslash"),
        ("(" * 17 + "a == 1" + ")" * 17, 17, "more than 16 levels deep; simplify it"),
        ("not " * 17 + "a == 1", 65, "more than 16 levels deep"),
        ("a in (" + "1," * 201 + ")", 407, "there are more than 200 values; use a tag instead"),
        ("a" * 2001, 2001, "the expression is longer than 2,000 characters; make it shorter"),
        ("__import__('os').system('x')", 11, "is not compared with anything"),
    ],
)
def test_what_is_wrong_is_told_with_its_column(text: str, column: int, sentence: str) -> None:
    with pytest.raises(SegmentError) as caught:
        parse_segment(text)
    problem = caught.value.problems[0]
    assert sentence in problem.message
    assert (problem.path, problem.column) == ("segment", column)
    assert str(caught.value).isprintable()


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        parse_segment(text).sql()
    except SegmentError as error:
        column = error.problems[0].column
        assert column is not None
        assert 1 <= column <= len(text) + 1


@given(st.text(max_size=30), st.text(max_size=30))
def test_values_are_parameters_and_never_part_of_the_sql(one: str, other: str) -> None:
    try:
        first, second = (parse_segment(f"company == {quoted(text)}").sql() for text in (one, other))
    except SegmentError:
        return
    assert first[0] == second[0] or (one == "") != (other == "")


def test_a_segment_knows_its_attributes_and_equals_itself() -> None:
    segment = parse_segment('company == "x" and not (age > 1 or language == "zh")')
    assert segment.attributes == {"company", "age"}
    assert segment == parse_segment(segment.text)
    assert hash(segment) == hash(parse_segment(segment.text))
    assert segment != parse_segment(segment.text, ZoneInfo("Asia/Shanghai"))


# What SQL answers is compared with a plain evaluation of the same tree.

TEXTS = ["", "a", "vip", "VIP", "10", "-1.5", "2026-01-01", "yes", 'a"b', "ü", "Ü", "STRASSE", "ſ"]
PEOPLE: list[dict[str, Any]] = [
    {"name": name, "tags": tags, "attributes": attributes}
    for name, tags, attributes in [
        ("a", ("vip", "a"), {"x": "10", "y": True}),
        ("", (), {}),
        ("vip", ("ü",), {"x": "a", "y": "2026-01-01"}),
        ("ü", ('a"b', "10"), {"x": -1.5, "y": None}),
        ("10", ("yes",), {"x": 10, "y": "yes"}),
        ("a", ("vip",), {"x": False, "y": "-1.5"}),
        ("b", ("Vip", "Ü", "straße", "S"), {"x": "", "y": [], "z": {}}),
    ]
]

Rule = Callable[[dict[str, Any]], bool]
Case = tuple[str, Rule]


def as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def as_number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        return float(value) if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?", value) else None
    return float(value) if isinstance(value, int | float) else None


def compare(sign: str, left: Any, right: Any) -> bool:
    if sign == "!=":
        return left is None or left != right
    if left is None:
        return False
    return {
        "==": left == right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[sign]


def text_case(key: str, sign: str, value: str) -> Case:
    def rule(p: dict[str, Any]) -> bool:
        known = p["attributes"].get(key)
        if value == "" and sign in ("==", "!="):
            return (known is None or known == "") == (sign == "==")
        return compare(sign, as_text(known), value)

    return f"attributes.{key} {sign} {quoted(value)}", rule


def number_case(key: str, sign: str, value: float) -> Case:
    return f"{value} {flip(sign)} {key}", lambda p: compare(sign, as_number(p["attributes"].get(key)), value)


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def flip(sign: str) -> str:
    return sign.translate(str.maketrans("<>", "><"))


def yes_case(key: str, value: bool) -> Case:
    words = ("true", "yes", "1") if value else ("false", "no", "0")
    return f"{key} == {value}", lambda p: (as_text(p["attributes"].get(key)) or "").lower() in words


def tag_case(tag: str, negated: bool) -> Case:
    return (
        f"{quoted(tag)} {'not ' * negated}in tags",
        lambda p: (tag.casefold() in [known.casefold() for known in p["tags"]]) != negated,
    )


def name_case(value: str, negated: bool) -> Case:
    return f"name {'!=' if negated else '=='} {quoted(value)}", lambda p: (p["name"] == value) != negated


def list_case(values: list[str]) -> Case:
    return f"name in [{', '.join(map(quoted, values))}]", lambda p: p["name"] in values


def joined_cases(word: str, cases: list[Case]) -> Case:
    combine = all if word == "and" else any
    return f" {word} ".join(f"({text})" for text, _ in cases), lambda p: combine(rule(p) for _, rule in cases)


def opposite(case: Case) -> Case:
    return f"not ({case[0]})", lambda p: not case[1](p)


KEYS, SIGNS = st.sampled_from("xyz"), st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
TEXT = st.sampled_from(TEXTS)
LEAVES = st.one_of(
    st.builds(text_case, KEYS, SIGNS, TEXT),
    st.builds(number_case, KEYS, SIGNS, st.sampled_from([10, -1.5, 0, 3.25])),
    st.builds(yes_case, KEYS, st.booleans()),
    st.builds(tag_case, TEXT.filter(bool), st.booleans()),
    st.builds(name_case, TEXT, st.booleans()),
    st.builds(list_case, st.lists(TEXT, min_size=1, max_size=3)),
)
CASES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(opposite, inner),
        st.builds(joined_cases, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(CASES)
def test_sql_answers_as_a_plain_evaluation_does(db: Database, person: Add, case: Case) -> None:
    text, rule = case
    if not db.conn.execute("SELECT 1 FROM subscribers").fetchone():
        for number, known in enumerate(PEOPLE):
            person(f"{number}@example.org", **known)
    sql, params = parse_segment(text, dt.UTC).sql()
    answers = [
        bool(row[0]) for row in db.conn.execute(f"SELECT {sql} FROM subscribers s ORDER BY s.id", params)
    ]
    assert answers == [rule(known) for known in PEOPLE]
