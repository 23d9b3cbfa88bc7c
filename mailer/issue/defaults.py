"""What an issue says where its editor left it out: title, subject and preheader, made of the headlines.

An item or section that is for one segment alone (`only`) is never told to everybody in a subject.
"""

from __future__ import annotations

import datetime as dt
import re
from itertools import pairwise

from babel import Locale
from babel.dates import format_date
from markdown_it import MarkdownIt

from mailer.config import Settings
from mailer.issue.cut import columns, cut
from mailer.issue.model import Issue

__all__ = ["headlines", "long_date", "with_defaults"]

#: Mail programs on a desktop show about this much of a subject; phones show half of it.
SUBJECT_COLUMNS = 70
#: Enough that no program fills the rest of the line with the page's first words.
PREHEADER_COLUMNS = 180
_ENOUGH = 100
#: Less than this of a headline is not worth beginning.
_WORTH = 16


def _locale(language: str) -> Locale:
    return Locale.parse(language.replace("-", "_"))


def long_date(date: dt.date, language: str) -> str:
    """The date as people write it: "November 21, 2026", "2026年11月21日"."""
    return format_date(date, "long", _locale(language))


def headlines(issue: Issue) -> list[str]:
    """The titles that everybody reads, in order."""
    titles = [item.title for item in issue.items if not item.only]
    for section in issue.sections:
        if not section.only:
            titles += [item.title for item in section.items if not item.only]
    if issue.column:
        titles.append(issue.column.title)
    return titles


def with_defaults(issue: Issue, settings: Settings) -> Issue:
    """The issue with language, title, subject and preheader filled in."""
    language = issue.language or settings.edition_language(issue.edition)
    title = issue.title or _title(issue, settings, language)
    told = headlines(issue)
    subject = issue.subject or _subject(title, told, language)
    preheader = issue.preheader or _preheader(issue, title, subject, told)
    return issue.model_copy(
        update={"language": language, "title": title, "subject": subject, "preheader": preheader}
    )


def _title(issue: Issue, settings: Settings, language: str) -> str:
    edition = settings.editions[issue.edition]
    filled = edition.title.format(
        edition=edition.name,
        publication=settings.publication.name,
        date=long_date(issue.date, language),
        weekday=format_date(issue.date, "EEEE", _locale(language)),
    )
    return " ".join(filled.split()) or edition.name


def _subject(title: str, told: list[str], language: str) -> str:
    wide = language.partition("-")[0] in ("zh", "ja")
    between, after = ("；", "：") if wide else ("; ", ": ")
    subject = cut(title, SUBJECT_COLUMNS)
    for number, headline in enumerate(told):
        joint = between if number else after
        room = SUBJECT_COLUMNS - columns(subject) - columns(joint)
        if columns(headline) > room:
            return subject + joint + cut(headline, room) if room >= _WORTH else subject
        subject += joint + headline
    return subject


def _preheader(issue: Issue, title: str, subject: str, told: list[str]) -> str:
    """The headlines that the subject did not tell; where those are few, the first words of the texts."""
    pieces = [headline for headline in told if headline not in subject]
    for text in (issue.intro, issue.body, issue.column.body if issue.column else ""):
        if columns(" · ".join(pieces)) < _ENOUGH:
            pieces += [words for words in [_first_words(text)] if words]
    return cut(" · ".join(pieces or told or [title]), PREHEADER_COLUMNS)


def _first_words(markdown: str) -> str:
    """The first paragraph without its marks, or the first paragraph that has words."""
    blocks = MarkdownIt("commonmark").parse(markdown[:5000])
    for before, block in pairwise(blocks):
        if before.type == "paragraph_open":
            tokens = block.children or ()
            words = "".join(
                " " if token.type in ("softbreak", "hardbreak") else token.content
                for token in tokens
                if token.type in ("text", "code_inline", "softbreak", "hardbreak")
            )
            words = re.sub(r"\s+", " ", words).strip()
            if words:
                return words
    return ""
