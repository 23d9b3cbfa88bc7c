"""The line that lists of mails show behind the subject.

Where an editor wrote none it is made of the issue's words, so that no mail program goes on with the masthead:
of headlines that the subject does not tell, then titles of sections, then words of the texts, without
pictures, tables, code blocks and footnotes. What is for one segment alone (`only`) is never told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mailer.issue.cut import columns, cut
from mailer.issue.markdown.document import EMPTY, Document
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.markdown.words import headings_of, opening
from mailer.issue.model import Issue
from mailer.issue.texts import Key

__all__ = ["PREHEADER_COLUMNS", "filler", "made_preheader"]

#: No mail program shows more.
PREHEADER_COLUMNS = 180
#: Enough that no mail program goes on with the first words of the page.
ENOUGH = 90
#: A blank that is kept, and a character without width, so that mail programs do not join the blanks.
_BLANK = "\u034f\u00a0"
_MAX_FILLER = 300 // len(_BLANK.encode())
_BETWEEN = " · "
#: A headline of so many columns stands in a subject by no accident.
_LONG = 16


def made_preheader(
    issue: Issue,
    title: str,
    subject: str,
    headlines: Sequence[str],
    documents: Mapping[Key, Document],
    placeholders: Placeholders,
) -> str:
    """The preheader of an issue whose editor wrote none. `documents` are the trees of its texts."""
    pieces: list[str] = []
    for words in _words(issue, headlines, documents, placeholders):
        if columns(_BETWEEN.join(pieces)) > (PREHEADER_COLUMNS if words in headlines else ENOUGH):
            break
        if words not in pieces and not _tells(subject, words):
            pieces.append(words)
    return cut(_BETWEEN.join(pieces or headlines) or title, PREHEADER_COLUMNS, ENOUGH)


def filler(preheader: str) -> str:
    """What stands behind a preheader in the mail, so that it takes enough columns: nothing, or blanks."""
    return _BLANK * min(max(ENOUGH - columns(preheader), 0), _MAX_FILLER)


def _words(
    issue: Issue, headlines: Sequence[str], documents: Mapping[Key, Document], placeholders: Placeholders
) -> Iterator[str]:
    """All that may be told, the first things first."""
    yield from headlines
    yield from (section.title for section in issue.sections if not section.only)
    texts = [documents[key] for key in _texts(issue) if documents.get(key, EMPTY)]
    yield from filter(None, (placeholders.written(opening(text, PREHEADER_COLUMNS)) for text in texts))
    for text in texts:
        yield from map(placeholders.written, headings_of(text))
    yield from (related.title for related in issue.related)


def _texts(issue: Issue) -> Iterator[Key]:
    """The keys of the texts that everybody reads."""
    yield ("intro",)
    yield ("body",)
    keys: list[Key] = [("items", i) for i, item in enumerate(issue.items) if not item.only]
    for i, section in enumerate(issue.sections):
        if not section.only:
            yield ("sections", i, "intro")
            keys += [("sections", i, "items", j) for j, item in enumerate(section.items) if not item.only]
    yield from ((*key, "body") for key in keys)
    yield ("column", "body")
    yield from ((*key, "comment") for key in keys)
    yield ("call_to_action", "text")


def _tells(subject: str, words: str) -> bool:
    if columns(words) >= _LONG:
        return words in subject
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", subject) is not None
