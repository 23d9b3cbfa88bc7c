from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from mailer.render.theme.mirror import mirror_rules


@pytest.mark.parametrize(
    ("rule", "turned"),
    [
        (".a { padding-left: 24px; }", ".a { padding-right: 24px; }"),
        (".a { margin: 0 22px 0 0; color: red; }", ".a { margin: 0 0 0 22px; color: red; }"),
        (".a { padding: 1px 2px 3px 4px !important; }", ".a { padding: 1px 4px 3px 2px !important; }"),
        (".a { padding: 1px 2px 3px; }", ".a { padding: 1px 2px 3px; }"),
        (".a, .b { border-left: 3px solid #abc; }", ".a, .b { border-right: 3px solid #abc; }"),
        (".a { text-align: left; float: right; }", ".a { text-align: right; float: left; }"),
        (".a { border-radius: 1px 2px 3px 4px; }", ".a { border-radius: 2px 1px 4px 3px; }"),
        (".a { border-color: red rgb(0 0 0) blue tan; }", ".a { border-color: red tan blue rgb(0 0 0); }"),
        (".leftover { content: left; }", ".leftover { content: left; }"),
        ('th[align="right"] { text-align: right; }', 'th[align="right"] { text-align: right; }'),
        (".a { background: url(left.png); }", ".a { background: url(left.png); }"),
    ],
)
def test_left_is_right(rule: str, turned: str) -> None:
    assert mirror_rules(rule) == turned
    assert mirror_rules(turned) == rule


def test_a_part_gets_only_what_differs_and_nothing_of_the_other_side() -> None:
    css = (
        ".a, .b { padding-left: 24px; color: red; }\n.c { color: red; }\n"
        'th { text-align: left; }\nth[align="center"] { text-align: center; }'
    )
    assert mirror_rules(css, "rtl").split("\n") == [
        '[dir="rtl"] .a, [dir="rtl"] .b { padding-left: 0; padding-right: 24px; }',
        '[dir="rtl"] th { text-align: right; }',
        '[dir="rtl"] th[align="center"] { text-align: center; }',
    ]
    assert mirror_rules(css, "ltr").split("\n") == [
        '[dir="ltr"] .a, [dir="ltr"] .b { padding-right: 0; padding-left: 24px; }',
        '[dir="ltr"] th { text-align: left; }',
        '[dir="ltr"] th[align="center"] { text-align: center; }',
    ]


def test_what_needs_no_escaping_still_needs_none() -> None:
    assert isinstance(mirror_rules(Markup(".a { left: 0; }")), Markup)
    assert not isinstance(mirror_rules(".a { left: 0; }"), Markup)


_NAMES = st.sampled_from(["padding", "margin-left", "border-right", "text-align", "color", "left", "width"])
_VALUES = st.sampled_from(["left", "0 1px 2px 3px", "3px solid", "right", "0", "1px 2px"])


@given(st.lists(st.tuples(_NAMES, _VALUES), min_size=1, max_size=5))
def test_turned_twice_is_as_before(declarations: list[tuple[str, str]]) -> None:
    css = ".a { " + "; ".join(f"{name}: {value}" for name, value in declarations) + "; }"
    assert mirror_rules(mirror_rules(css)) == css
