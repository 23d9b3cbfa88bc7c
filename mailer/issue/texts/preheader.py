"""Makes the preheader: the line that mail programs show after the subject in a list of mails.

If the editor wrote no preheader, it is made from the issue, because mail programs would otherwise show the
first words of the page. It consists of headlines that are not in the subject, then titles of sections, then
words of the texts, without pictures, tables, code blocks and footnotes. Parts for only some readers (`only`)
are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mailer.issue.markdown.document import EMPTY, Document
from mailer.issue.markdown.excerpts import first_words, heading_texts
from mailer.issue.markdown.placeholders import Placeholders
from mailer.issue.model import Issue, Item, Section
from mailer.issue.values.display_width import cut_to_columns, display_columns
from mailer.issue.yaml.tree import Key

__all__ = ["PREHEADER_COLUMNS", "preheader_filler", "make_preheader"]

#: No mail program shows more.
PREHEADER_COLUMNS = 180
#: Enough that no mail program goes on with the first words of the page.
ENOUGH = 90
#: A blank that is kept, and behind it a character without width, so that mail programs do not join blanks.
_BLANK = "\u00a0\u034f"
_MAX_FILLER = 300 // len(_BLANK.encode())
_BETWEEN = " · "
#: A headline of at least so many columns that is found in the subject is not there by chance.
_LONG = 16


def make_preheader(
    issue: Issue,
    title: str,
    subject: str,
    headlines: Sequence[str],
    documents: Mapping[Key, Document],
    placeholders: Placeholders,
) -> str:
    """Returns a preheader for an issue that has none. The language of the issue must be filled in.

    `headlines` are the titles that all readers see; those in `subject` are left out. `title` is returned if
    the issue has no other text. `documents` has the parsed Markdown texts by key, in which `placeholders`
    stand for slots.
    """
    pieces: list[str] = []
    for words in _preheader_candidates(issue, headlines, documents, placeholders):
        if display_columns(_BETWEEN.join(pieces)) > (PREHEADER_COLUMNS if words in headlines else ENOUGH):
            break
        if words not in pieces and not _contains_words(subject, words):
            pieces.append(words)
    return cut_to_columns(_BETWEEN.join(pieces or headlines) or title, PREHEADER_COLUMNS, ENOUGH)


def preheader_filler(preheader: str) -> str:
    """Returns invisible characters that keep mail programs from showing page text after a short preheader."""
    return _BLANK * min(max(ENOUGH - display_columns(preheader), 0), _MAX_FILLER)


def _preheader_candidates(
    issue: Issue, headlines: Sequence[str], documents: Mapping[Key, Document], placeholders: Placeholders
) -> Iterator[str]:
    """Yields the texts that a preheader may be made of, the most important first."""
    yield from headlines
    yield from (section.title for section in issue.sections if _is_shown_to_all(section))
    texts = [documents[key] for key in _keys_of_texts_for_all_readers(issue) if documents.get(key, EMPTY)]
    yield from filter(
        None, (placeholders.restore_slots(first_words(text, PREHEADER_COLUMNS)) for text in texts)
    )
    for text in texts:
        yield from map(placeholders.restore_slots, heading_texts(text))
    yield from (related.title for related in issue.related)


def _keys_of_texts_for_all_readers(issue: Issue) -> list[Key]:
    """Returns the keys of the texts that all readers see; texts in another language come last."""
    intros: list[tuple[str, Key]] = []
    items: list[tuple[str, Key]] = [
        (item.language, ("items", i)) for i, item in enumerate(issue.items) if _is_told_to_all(item)
    ]
    for i, section in enumerate(issue.sections):
        if not section.only:
            intros += [(section.language, ("sections", i, key)) for key in ("intro", "body")]
            items += [
                (item.language or section.language, ("sections", i, "items", j))
                for j, item in enumerate(section.items)
                if _is_told_to_all(item)
            ]
    found: list[tuple[str, Key]] = [("", ("standfirst",)), ("", ("intro",)), ("", ("body",)), *intros]
    found += [(language, (*key, "body")) for language, key in items]
    found.append((issue.column.language if issue.column else "", ("column", "body")))
    found += [(language, (*key, "comment")) for language, key in items]
    found.append(("", ("call_to_action", "text")))
    return [key for _, key in sorted(found, key=lambda each: each[0] not in ("", issue.language))]


def _is_shown_to_all(section: Section) -> bool:
    """Returns whether all readers see a section: one whose items are all for some readers is left out."""
    has_content = section.intro or section.body or section.image
    return not section.only and bool(has_content or any(not item.only for item in section.items))


def _is_told_to_all(item: Item) -> bool:
    """Returns whether an item may be told in the preheader: all readers see it, and nobody paid for it."""
    return not item.only and not item.is_advertisement


def _contains_words(subject: str, words: str) -> bool:
    if display_columns(words) >= _LONG:
        return words in subject
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", subject) is not None
