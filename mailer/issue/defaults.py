"""Fills in the title, subject and preheader that an issue leaves out, from its headlines.

An item or section that is for one segment alone (`only`) is never told to everybody in a subject.
"""

from __future__ import annotations

from collections.abc import Mapping

from mailer.config import Settings
from mailer.issue.markdown.document import Document
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.model import Issue
from mailer.issue.texts.preheader import made_preheader
from mailer.issue.values.display_width import columns, cut
from mailer.issue.yaml.tree import Key
from mailer.language.dates import long_date, weekday
from mailer.language_tags import script_of

__all__ = ["headlines", "with_defaults"]

#: Mail programs on a desktop show about this much of a subject; phones show half of it.
SUBJECT_COLUMNS = 70
#: Less than this of a headline is not worth beginning.
_WORTH = 16

#: What stands between two headlines, and before the first one, by script.
_JOINTS = {
    **dict.fromkeys(("Hans", "Hant", "Jpan"), ("；", "：")),
    "Arab": ("؛ ", ": "),
}


def headlines(issue: Issue) -> list[str]:
    """Returns the titles that all readers see, in order."""
    titles = [item.title for item in issue.items if not item.only]
    for section in issue.sections:
        if not section.only:
            titles += [item.title for item in section.items if not item.only]
    if issue.column:
        titles.append(issue.column.title)
    return titles


def with_defaults(
    issue: Issue, settings: Settings, documents: Mapping[Key, Document], placeholders: Placeholders
) -> Issue:
    """Returns the issue with language, title, subject and preheader filled in.

    `documents` are the trees of its texts. Braces in a text made of them are escaped.
    """
    language = issue.language or settings.edition_language(issue.edition)
    title = issue.title or _title(issue, settings, language)
    titles = headlines(issue)
    subject = issue.subject or _subject(title, titles, language)
    preheader = issue.preheader or made_preheader(
        issue.model_copy(update={"language": language}), title, subject, titles, documents, placeholders
    )
    return issue.model_copy(
        update={"language": language, "title": title, "subject": subject, "preheader": preheader}
    )


def _title(issue: Issue, settings: Settings, language: str) -> str:
    edition = settings.editions[issue.edition]
    filled = edition.title.format(
        edition=edition.name,
        publication=settings.publication.name,
        date=long_date(issue.date, language),
        weekday=weekday(issue.date, language),
    )
    return " ".join(filled.split()) or edition.name


def _subject(title: str, titles: list[str], language: str) -> str:
    between, after = _JOINTS.get(script_of(language), ("; ", ": "))
    subject = cut(title, SUBJECT_COLUMNS)
    for number, headline in enumerate(titles):
        joint = between if number else after
        room = SUBJECT_COLUMNS - columns(subject) - columns(joint)
        if columns(headline) > room:
            return subject + joint + cut(headline, room) if room >= _WORTH else subject
        subject += joint + headline
    return subject
