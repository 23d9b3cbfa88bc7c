"""The Nu HTML checker finds no error in pages, and in mails only what Outlook and old programs need."""

from __future__ import annotations

import pytest

from tests.checkers.nu import ALLOWED_IN_MAILS, Remark, checked, not_allowed
from tests.checkers.sending import Sent, html_of
from tests.desk import ROOT
from tools.screenshots import Shown

pytestmark = [pytest.mark.java, pytest.mark.node]

GOOD = (
    '<!doctype html><html lang="en"><head><title>t</title>{head}</head><body><p>words</p>{body}</body></html>'
)
#: What is wrong in each of these, and the beginning of what the checker says.
WRONG = {
    "unclosed": (GOOD.format(head="", body="<div>"), "error: Unclosed element"),
    "attribute": (GOOD.format(head="", body="<p colour=red>x</p>"), "error: Attribute “colour” not allowed"),
    "style": (
        GOOD.format(head="<style>p { colour: red }</style>", body=""),
        "error: CSS: “colour”: Property",
    ),
    "inline": (GOOD.format(head="", body='<p style="color: rde">x</p>'), "error: CSS: “color”: “rde”"),
    "obsolete": (GOOD.format(head="", body="<center>x</center>"), "error: The “center” element is obsolete"),
}
Remarks = dict[str, list[Remark]]


def mails_of(sent: Sent, full_issues: list[Shown]) -> dict[str, str]:
    """The HTML of one message of each sample, and of the issues with every field."""
    mails = {name.partition("/")[0]: html_of(message) for name, message in sent.messages.items()}
    return {f"mail {name}": html for name, html in mails.items()} | {
        f"mail {issue.name}": issue.mail for issue in full_issues
    }


@pytest.fixture(scope="module")
def remarks(
    sent: Sent,
    pages: dict[str, str],
    full_issues: list[Shown],
    tmp_path_factory: pytest.TempPathFactory,
) -> Remarks:
    """What the checker says about mails, pages and the wrong documents above, all in one process."""
    wrong = {f"wrong {name}": html for name, (html, _) in WRONG.items()}
    issues = {f"page {issue.name}": issue.web for issue in full_issues}
    named = {f"page {name}": html for name, html in pages.items()}
    documents = {
        **mails_of(sent, full_issues),
        **named,
        **issues,
        **wrong,
        "good": GOOD.format(head="", body=""),
    }
    return checked(documents, tmp_path_factory.mktemp("nu"))


def of_kind(remarks: Remarks, beginning: str) -> Remarks:
    return {name: found for name, found in remarks.items() if name.startswith(beginning)}


def told(remarks: Remarks) -> dict[str, list[str]]:
    """The remarks of each document that has any, each once and as a line."""
    lines = {
        name: list(dict.fromkeys(f"{each.kind}: {each.message} {each.extract}" for each in found))
        for name, found in remarks.items()
    }
    return {name: found for name, found in lines.items() if found}


def test_pages_have_no_error(remarks: Remarks) -> None:
    pages = of_kind(remarks, "page ")
    errors = {name: [each for each in found if each.kind == "error"] for name, found in pages.items()}
    assert told(errors) == {}
    assert len(pages) > 40


def test_mails_have_nothing_but_what_mail_programs_need(remarks: Remarks, full_issues: list[Shown]) -> None:
    mails = of_kind(remarks, "mail ")
    assert told({name: not_allowed(found, ALLOWED_IN_MAILS) for name, found in mails.items()}) == {}
    assert len(mails) == len(list((ROOT / "issues").glob("*.yaml"))) + len(full_issues)


def test_every_entry_of_the_table_is_needed(remarks: Remarks) -> None:
    mails = [each for found in of_kind(remarks, "mail ").values() for each in found]
    for entry in ALLOWED_IN_MAILS:
        assert len(not_allowed(mails, [entry])) < len(mails), entry


@pytest.mark.parametrize("name", sorted(WRONG))
def test_what_is_wrong_is_found(remarks: Remarks, name: str) -> None:
    found = told(of_kind(remarks, f"wrong {name}"))[f"wrong {name}"]
    assert any(line.startswith(WRONG[name][1]) for line in found), found
    assert not_allowed(remarks[f"wrong {name}"], ALLOWED_IN_MAILS) != []


def test_a_good_document_has_no_remark(remarks: Remarks) -> None:
    assert remarks["good"] == []
