"""Rules of an `mj-style` that the inliner does not apply are findings at their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.config import Settings, load_settings
from mailer.render.check import check_rendition
from mailer.render.html.inline import inline_styles
from mailer.render.html.mrml_html import INLINE_ONLY, style_sheets
from mailer.render.html.uninlined_rules import find_uninlined_rules
from mailer.render.html.wellformed import MarkupFault
from mailer.render.render import render_variants
from mailer.services.issues.check import check_issue
from tests.full_issue import ROOT, full_issue
from tests.render.conftest import EMAIL, Load, Write

#: A page in which each selector below matches an element.
PAGE = """<html><head><style {attribute}>{rules}</style></head><body>
<p class="a b" id="i"><a class="x" href="https://x.test/y" title="q">l</a><b>z</b></p><p class="c-d">2</p>
<table><tr><td>1</td><td>2</td></tr></table><p class="é last">3</p></body></html>"""

KEPT = [
    "p", "p.a", "#i", ".a.b", "p > a", "p>a", "p + p", "p ~ table", "p a, .c-d", "[href^='https']",
    "a[title]", "a[title=q]", "a[href$='y']", "p:first-child", "td:first-child", "td:last-child",
    "p:last-child", ".é", "/* a:hover { } */ p", "table td", "p:FIRST-CHILD",
]  # fmt: skip
LOST = [
    "a:not(.y)", "p :not(.y)", "a:not(.y, .z)", "a[href^='https:']", "a[href='https://x.test/y']", "a:hover",
    "a:link", "p::before", "p:before", "td:nth-child(2)", "tr td:nth-child(odd)", "td:first-of-type",
    "p:first-child a", "p:is(.a)", "p:has(a)", "*", "p *", ":root", "P", "P.a", "tr TD", "a[title='q,r']",
    "a[title=q", "> p", "p,,a", ".1a", "p:nth-child", "} p", "p /* x: */ a",
]  # fmt: skip


def styles(rules: str, attribute: str = INLINE_ONLY) -> int:
    return inline_styles(PAGE.format(attribute=attribute, rules=rules)).count("color:red")


def find_lost_rules(rules: str) -> list[MarkupFault]:
    return list(find_uninlined_rules(rules, inline_only=True))


def messages(rules: str) -> list[str]:
    return [fault.message for fault in find_lost_rules(rules)]


@pytest.mark.parametrize("selector", LOST)
def test_what_is_not_inlined_is_a_finding(selector: str) -> None:
    rule = f"{selector} {{ color: red }}"
    assert styles(rule) == 0
    (fault,) = find_lost_rules(f"b {{ }}\n {rule}")
    assert fault.offset == len("b { }\n ")
    assert fault.message.startswith(f'"{selector}" ')


@pytest.mark.parametrize("selector", KEPT)
def test_what_is_inlined_is_none(selector: str) -> None:
    rule = f"{selector} {{ color: red }}"
    assert styles(rule) > 0, "the selector must match something in the page"
    assert messages(rule) == []


@pytest.mark.parametrize(
    "rule",
    [
        "@media (max-width: 480px) { p { color: red } }",
        "@supports (display: grid) { p { color: red } }",
        "@font-face { font-family: X }",
        "@page { margin: 0 }",
        "@charset 'utf-8';",
    ],
)
def test_at_rules_are_findings(rule: str) -> None:
    assert styles(rule) == 0
    (message,) = messages(f"{rule} b {{ color: blue }}")
    assert message.startswith(f"{rule.split()[0]} is not inlined, so the rule has no effect: ")
    assert list(find_uninlined_rules(rule, inline_only=False)) == []


def test_one_selector_of_a_list_is_a_finding_of_its_own() -> None:
    assert styles("a:hover, b { color: red }") == 1
    (fault,) = find_lost_rules("b, .x,\na:hover { color: red }")
    assert fault.offset == 7
    assert '"a:hover" is not inlined, so the rule has no effect' in fault.message
    assert 'write "p" instead of "P"' in messages("P, b { color: red }")[0]


def test_a_selector_that_is_not_valid_takes_the_others_with_it() -> None:
    assert styles("b, .1a { color: red }") == 0
    (message,) = messages("b, .1a { color: red }")
    assert message.startswith('"b, .1a" has a selector that the inliner cannot read, so the whole rule is ')


@pytest.mark.parametrize(
    "rules",
    [
        "",
        "p { content: 'a:hover { x }' }",
        'p { content: "\\"a:hover { x }" } b { }',
        "p { background: url(a.png); b:hover { color: red } }",
        "p { color: red",
        "a:hover",
        "; p { }",
        " { color: red }",
    ],
)
def test_what_is_no_rule_is_none(rules: str) -> None:
    assert messages(rules) == []


def test_a_selector_that_cannot_be_compiled_stays_in_a_sheet_that_stays() -> None:
    rules = "a[title='q,r'] { color: red } b { color: red }"
    assert styles(rules, attribute="") == 1
    assert rules in inline_styles(PAGE.format(attribute="", rules=rules))


SHEETS = """<mj-style inline="inline">
/* a:hover { } */
h1 { color: {{ brand.ink }}; }
a:not(.x) { color: red; }
</mj-style>
<mj-style>
a:not(.x) { color: red; }
a:hover { color: red; }
</mj-style>
"""


@pytest.mark.parametrize(
    "selector",
    [
        "a:hover", "p .x:visited", "p::before", "p:after", "a:not(.x):hover", ":root", "*", "p *",
        "p a:FOCUS", "input:-moz-x", "p > a[title]", "[data-ogsc] .x", "u + .body .gm", "a[title='x::y'] *",
    ],
)  # fmt: skip
def test_what_only_a_style_sheet_can_hold_is_none_in_a_sheet_that_stays(selector: str) -> None:
    assert list(find_uninlined_rules(f"{selector} {{ }}", inline_only=False)) == []


@pytest.mark.parametrize(
    "selector",
    [
        "a:not(.y)", "a[href^='https:']", "a[title='x::y']", "td:nth-child(2)", "p:first-child a", "P",
        "p:is(.a)", "a[title='q,*']", "p:first-of-type", "p,,a",
    ],
)  # fmt: skip
def test_what_could_be_inlined_is_a_finding_in_a_sheet_that_stays_too(selector: str) -> None:
    (fault,) = find_uninlined_rules(f"b {{ }} {selector} {{ }}", inline_only=False)
    assert fault.offset == len("b { } ")
    assert fault.message.startswith(f'"{selector}" ')
    assert "no effect" not in fault.message


@pytest.mark.parametrize("selector", [each for each in KEPT if "/*" not in each])
def test_dynamic_rules_do_not_hide_what_is_inlined(selector: str) -> None:
    assert list(find_uninlined_rules(f"a:hover, {selector} {{ }}", inline_only=False)) == []
    assert styles(f"a:hover, {selector} {{ color: red }}") > 0


@pytest.mark.parametrize("include", ['{% include "email/s.mjml" %}', '<mj-include path="email/s.mjml" />'])
def test_a_check_warns_at_the_line_of_the_template(
    theme_files: Write, load: Load, settings: Settings, include: str
) -> None:
    page = EMAIL.replace("</mj-head>", f"{include}</mj-head>")
    theme_files(**{"email/morning.mjml": page, "email/s.mjml": SHEETS})
    loaded = load()
    rendition = render_variants(loaded, settings, slug="test", variants=(0,))[0]
    found = [each for each in check_rendition(loaded, rendition, settings) if "inlined" in each.message]
    assert [str(each) for each in found] == [
        'templates/email/s.mjml:4: warning: "a:not(.x)" is not inlined, so the rule has no effect: '
        'an mj-style with inline="inline" does not stay in the mail; give the elements a class, or move '
        "the rule into an mj-style without inline, within @media screen { … }",
        'templates/email/s.mjml:7: warning: "a:not(.x)" is not inlined, so the rule works only in mail '
        "programs that read style sheets; give the elements a class, or write @media screen { … } around "
        "the rule if that is meant",
    ]


@pytest.mark.parametrize("slip", ["<mj-txt>x</mj-txt>", "<mj-column></mj-column>\x00<mj-stlye />"])
def test_a_check_warns_beside_the_slips(
    theme_files: Write, workspace: Path, settings: Settings, slip: str
) -> None:
    page = EMAIL.replace("</mj-head>", f"{SHEETS}</mj-head>").replace("<mj-text><h1>", f"{slip}<mj-text><h1>")
    theme_files(**{"email/morning.mjml": page})
    issue = workspace / "issues/a.yaml"
    issue.write_text("edition: morning\ndate: 2026-11-21\nitems: [{title: One}]\n", encoding="utf-8")
    checked = check_issue(settings, issue)
    severities = {problem.severity for problem in checked.problems if problem.path != "issues/a.yaml"}
    assert severities == {"error", "warning"}
    assert sum("is not inlined" in problem.message for problem in checked.problems) == 2


@pytest.mark.parametrize("edition", ["morning", "evening", "feature", "brief", "digest"])
@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_the_built_in_theme_loses_no_rule(tmp_path: Path, edition: str, language: str) -> None:
    folder = tmp_path / "workspace"
    full_issue(folder, edition="morning", sections=True)
    config = folder / "mailer.toml"
    config.write_text(f'{config.read_text()}\n[editions.x]\nname = "X"\nlayout = "{edition}"\n', "utf-8")
    loaded = full_issue(folder, edition="x", sections=True, language=language)
    rendition = render_variants(loaded, load_settings(folder), slug="x", variants=[0])[0]
    assert [each for each in rendition.findings if "templates/" in (each.path or "")] == []


def test_the_rules_for_earlier_templates_are_all_inlined() -> None:
    text = (ROOT / "templates/email/partials/earlier.mjml").read_text(encoding="utf-8")
    sheets = [sheet for sheet in style_sheets(text) if sheet.inline_only]
    assert sheets
    assert [fault for sheet in sheets for fault in find_lost_rules(sheet.rules)] == []
