"""The conditional comments of every mail are balanced, and so are the elements that each program sees."""

from __future__ import annotations

import pytest

from tests.checkers.conditionals import conditional_faults, element_faults, seen_by
from tests.checkers.sending import Sent, html_of
from tools.screenshots import Shown

HIDDEN = "<!--[if mso]><b>a</b><![endif]-->"
SHOWN = "<!--[if !mso]><!--><b>b</b><!--<![endif]-->"
SPACED = "<!--[if !mso]><!-- --><b>b</b><!-- <![endif]-->"
BARE = "<![if !mso]><b>c</b><![endif]>"


@pytest.fixture(scope="module")
def mails(sent: Sent, full_issues: list[Shown]) -> dict[str, str]:
    """The HTML of every message and of the issues with every field."""
    found = {name: html_of(message) for name, message in sent.messages.items()}
    return found | {issue.name: issue.mail for issue in full_issues}


def test_conditionals_of_mails_are_balanced(mails: dict[str, str]) -> None:
    found = {name: conditional_faults(html) for name, html in mails.items()}
    assert {name: faults for name, faults in found.items() if faults} == {}
    assert all("<!--[if" in html for html in mails.values())


@pytest.mark.parametrize("outlook", [True, False])
def test_elements_are_closed_for_outlook_and_for_all_others(mails: dict[str, str], outlook: bool) -> None:
    found = {name: element_faults(seen_by(html, outlook=outlook)) for name, html in mails.items()}
    assert {name: faults[:3] for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    "html",
    [
        *(HIDDEN, SHOWN, SPACED, BARE, HIDDEN + SHOWN + BARE, "<!-- a comment --><p>-</p>"),
        f"<!--[if !mso]><!-->{HIDDEN}<!--<![endif]-->",
        f"<![if !mso]>{HIDDEN}{SHOWN}<![endif]>",
        "<!--[if (gte mso 9)|(IE)]><b>a</b><![endif]-->",
        "<!--[IF !MSO & !IE]><!--><b>a</b><!--<![ENDIF]-->",
        "<!--[if\nmso | lt IE 9]>a<![endif]-->",
    ],
)
def test_balanced_conditionals_have_no_fault(html: str) -> None:
    assert conditional_faults(html) == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<!--[if mso]><b>a</b>", "line 1: <!--[if mso]> has no end"),
        ("<!--[if !mso]><!--><b>a</b>", "has no end"),
        ("<![if !mso]>a", "has no end"),
        ("<!--[if mso]>a-->", "line 1: --> stands within line 1: <!--[if mso]>"),
        ("\na<![endif]-->", "line 2: <![endif]--> ends nothing"),
        ("a<!--<![endif]-->", "ends nothing"),
        ("a<![endif]>", "ends nothing"),
        ("<!--[if mso]>a<!--<![endif]-->", "is not the end of line 1: <!--[if mso]>"),
        ("<!--[if mso]>a<![endif]>", "is not the end of"),
        ("<!--[if !mso]><!-->a<![endif]-->", "is not the end of"),
        ("<![if !mso]>a<![endif]-->", "is not the end of"),
        (f"<!--[if mso]>{HIDDEN}<![endif]-->", "stands within"),
        (f"<!--[if mso]>{SHOWN}<![endif]-->", "stands within"),
        ("<!--[if mso]>a<!-- b --><![endif]-->", "stands within"),
        ("<!--[if !mso]><!-->a<!--[if mso]>b<!--<![endif]--><![endif]-->", "is not the end of"),
        ("<!-- [if mso]>a<![endif]-->", "is a comment, not a conditional"),
        ("<!--[if mos]>a<![endif]-->", "has a condition that is none: mos"),
        ("<!--[if]>a<![endif]-->", "lacks a word"),
        ("<!--[if mso 9 mso]>a<![endif]-->", "has a condition that goes on"),
        ("<!--[if (mso]>a<![endif]-->", "without its )"),
        ("a --> b", "ends no comment"),
        ("<!-- a", "has no end"),
    ],
)
def test_unbalanced_conditionals_are_found(html: str, fault: str) -> None:
    assert fault in " ".join(conditional_faults(html))


@pytest.mark.parametrize("kept", ["<!--[if mso]>", "<![endif]-->"])
def test_one_mark_less_in_a_mail_is_found(mails: dict[str, str], kept: str) -> None:
    html = next(html for html in mails.values() if kept in html)
    assert conditional_faults(html.replace(kept, "", 1)) != []


@pytest.mark.parametrize(
    ("condition", "read"),
    [
        *(("mso", True), ("!mso", False), ("gte mso 9", True), ("lt mso 12", False), ("mso 16", True)),
        *(("mso 15", False), ("IE", False), ("(gte mso 9)|(IE)", True), ("mso & !IE", True)),
        *(("mso & IE", False), ("!(mso | IE)", False), ("gt mso 16", False), ("lte mso 16", True)),
    ],
)
def test_outlook_reads_what_its_condition_says(condition: str, read: bool) -> None:
    html = f"<p>a</p><!--[if {condition}]>b<![endif]-->"
    assert seen_by(html, outlook=True) == ("<p>a</p>b" if read else "<p>a</p>")
    assert seen_by(html, outlook=False) == "<p>a</p>"


def test_what_is_shown_to_others_is_shown() -> None:
    html = f"a{SHOWN}{BARE}{HIDDEN}<!--[if mso]>{'d'}<![endif]-->e"
    assert seen_by(html, outlook=False) == "a<b>b</b><b>c</b>e"
    assert seen_by(html, outlook=True) == "a<b>a</b>de"
    assert seen_by(f"<!--[if !mso]><!-->{HIDDEN}<!--<![endif]-->f", outlook=True) == "f"


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ("<table><tr><td></tr></table>", "line 1: </tr> closes <td> of line 1"),
        ("<div><p>", "line 1: <p> is not closed"),
        ("a</td>", "line 1: </td> closes nothing"),
    ],
)
def test_elements_that_are_not_closed_are_found(html: str, fault: str) -> None:
    assert fault in element_faults(html)


def test_closed_elements_have_no_fault() -> None:
    html = (
        "<!doctype html><style>a > b {}</style><br><p><img/><v:rect/><v:x><o:p></o:p></v:x></p><!-- <b> -->"
    )
    assert element_faults(html) == []
