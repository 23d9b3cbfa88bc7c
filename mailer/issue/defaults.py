"""Fills in the title, subject and preheader that an issue leaves out, from its headlines.

Titles of items and sections for only a part of the readers (`only`) are not used, because all readers see the
subject.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mailer.config import Settings
from mailer.issue.markdown.document import Document
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.model import Issue
from mailer.issue.texts.preheader import make_preheader
from mailer.issue.values.display_width import cut_to_columns, display_columns
from mailer.issue.yaml.tree import Key
from mailer.language.dates import long_date, weekday
from mailer.language_tags import script_of

__all__ = ["headlines_for_all_readers", "issue_with_defaults"]

#: Mail programs on a desktop show about so many columns of a subject; phones show half as many.
SUBJECT_COLUMNS = 70
#: A headline is added only if at least so many columns are left for it.
_WORTH = 16

#: A colon, but not that of a time (17:00) or of a URL (https://).
_COLON = re.compile(r"[:：﹕︓](?!//)(?:(?<!\d.)|(?!\d))")


@dataclass(frozen=True)
class _Joints:
    """Holds the separators of a subject.

    `between` stands between two headlines. `colon` stands before the first one; `bar` takes its place if the
    title or a headline has a colon of its own.
    """

    between: str
    colon: str
    bar: str


_JOINTS = {
    **dict.fromkeys(("Hans", "Hant", "Jpan"), _Joints("；", "：", "｜")),
    "Arab": _Joints("؛ ", ": ", " – "),
}
_OTHER_JOINTS = _Joints("; ", ": ", " · ")


def headlines_for_all_readers(issue: Issue) -> list[str]:
    """Returns the titles of items and of the column that all readers see, in reading order.

    Advertisements are left out. The lead that the editor chose comes first.
    """
    groups = [issue.items, *(section.items for section in issue.sections if not section.only)]
    items = [item for group in groups for item in group if item.is_story and not item.only]
    titles = [item.title for item in sorted(items, key=lambda item: not item.lead)]
    if issue.column and issue.column.title:
        titles.append(issue.column.title)
    return titles


def issue_with_defaults(
    issue: Issue, settings: Settings, documents: Mapping[Key, Document], placeholders: Placeholders
) -> Issue:
    """Returns the issue with the language, title, subject and preheader that the editor left out.

    `documents` has the parsed Markdown texts of the issue by key, in which `placeholders` stand for slots. A
    preheader that is made from these texts has the slots again, and braces that are text are escaped.
    """
    language = issue.language or settings.edition_language(issue.edition)
    title = issue.title or _default_title(issue, settings, language)
    titles = headlines_for_all_readers(issue)
    subject = issue.subject or _default_subject(title, titles, language)
    preheader = issue.preheader or make_preheader(
        issue.model_copy(update={"language": language}), title, subject, titles, documents, placeholders
    )
    return issue.model_copy(
        update={"language": language, "title": title, "subject": subject, "preheader": preheader}
    )


def _default_title(issue: Issue, settings: Settings, language: str) -> str:
    local = settings.in_language(language)
    edition = local.editions[issue.edition]
    filled = edition.title.format(
        edition=edition.name,
        publication=local.publication.name,
        date=long_date(issue.date, language),
        weekday=weekday(issue.date, language),
        number=issue.number,
    )
    return " ".join(filled.split()) or edition.name


def _default_subject(title: str, headlines: list[str], language: str) -> str:
    """Returns the title and the first headlines, with at most one colon beside those of the title.

    A headline whose colon would be the second one is left out.
    """
    joints = _JOINTS.get(script_of(language), _OTHER_JOINTS)
    title = cut_to_columns(title, SUBJECT_COLUMNS)
    if not _COLON.search(title):
        shown = _headlines_that_fit(title, headlines, joints, joints.bar, colons=1)
        if not _COLON.search(shown):
            return title + _headlines_that_fit(title, headlines, joints, joints.colon, colons=0)
        return title + shown
    return title + _headlines_that_fit(title, headlines, joints, joints.bar, colons=0)


def _headlines_that_fit(title: str, headlines: list[str], joints: _Joints, first: str, *, colons: int) -> str:
    """Returns what follows the title in the subject: headlines, each with its separator before it.

    `first` is the separator before the first headline. At most `colons` colons stand in the headlines.
    """
    shown = ""
    for headline in headlines:
        joint = joints.between if shown else first
        room = SUBJECT_COLUMNS - display_columns(title + shown) - display_columns(joint)
        fits = display_columns(headline) <= room
        if not fits and room < _WORTH:
            break
        piece = headline if fits else cut_to_columns(headline, room)
        found = len(_COLON.findall(piece))
        if found > colons:
            continue
        shown += joint + piece
        colons -= found
        if not fits:
            break
    return shown
