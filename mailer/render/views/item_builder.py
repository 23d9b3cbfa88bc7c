"""Builds the views of items: their numbers, texts, pictures, links, events and quotes."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from mailer.config import Settings
from mailer.issue import model, parts
from mailer.issue.markdown.document import words_of
from mailer.issue.yaml.tree import Key
from mailer.language.east_asian import has_east_asian_characters
from mailer.language.event_times import event_times
from mailer.render.calendar import CalendarEntry, calendar_file
from mailer.render.pictures.picture_views import WrittenPicture
from mailer.render.pictures.view import PictureView
from mailer.render.views.item_values import EventView, ItemView, JobView, LinkView, QuoteView, SourceView
from mailer.render.views.prominence import ItemPlace, form_of_item
from mailer.render.views.texts import TextViews
from mailer.render.views.with_language import TagView

__all__ = ["ItemViewBuilder"]

#: By how many CSS px texts are set in, on both sides together: those of comments, advertisements, events and
#: quotes.
_COMMENT, _ADVERTISEMENT, _EVENT, _QUOTE = 32, 34, 68, 19
#: A quote with more words, or with more characters where some are East Asian, is set in the size of text.
_LONGEST_LARGE_QUOTE = 40
_LONGEST_LARGE_QUOTE_IN_CHARACTERS = 80


class ItemViewBuilder:
    """Builds the views of the items of one issue, in reading order, and numbers them."""

    def __init__(self, texts: TextViews, issue: model.Issue, settings: Settings) -> None:
        self.texts = texts
        self.issue = issue
        self.settings = settings
        self._layout = settings.editions[issue.edition].layout
        self._has_chosen_lead = any(item.lead for item in issue.all_items)
        self._has_first = False
        self._number = 0
        self._anchors: dict[str, int] = {}

    def begin_section(self) -> None:
        """Begins a section, in which items are numbered from 1 if the issue is numbered by section."""
        if self.issue.numbering == "by-section":
            self._number = 0

    def item_view(self, item: model.Item, key: Key, level: int, place: ItemPlace) -> ItemView:
        """Returns the view of the next item. `level` is the level (1 to 6) for headings in its texts."""
        texts = self.texts
        language = item.language or place.language
        is_numbered = item.is_story and item.event is None
        self._number += is_numbered
        form = form_of_item(
            item, texts.document((*key, "body")), self._layout, place, self._is_lead(item, place)
        )
        inset = _ADVERTISEMENT if item.is_advertisement else _EVENT if item.event else 0
        return ItemView(
            number=self._number if is_numbered else 0,
            anchor=self._anchor_of(item),
            title=texts.line(item.title, (*key, "title")),
            byline=texts.line(item.byline, (*key, "byline")),
            body=texts.markdown(item.body, (*key, "body"), level, inset=inset, language=language),
            quote=None if item.quote is None else self._quote_view(item.quote, key, level, language),
            comment=texts.markdown(item.comment, (*key, "comment"), level, inset=_COMMENT, language=language),
            source=None if item.source is None else self._source_view(item.source, key),
            url=texts.line(item.url, (*key, "url")),
            label=texts.line(item.label, (*key, "label")),
            links=self.link_views(item.links, key),
            images=tuple(
                self.image_view(image, texts.positions.key_of_entry((*key, "image"), number))
                for number, image in enumerate(item.image)
            ),
            event=None if item.event is None else self._event_view(item, item.event, key),
            job=None if item.job is None else self._job_view(item.job, (*key, "job")),
            tags=self.tag_views(item.tags, key, language),
            sponsored=item.is_advertisement,
            lead=form == "lead",
            compact=form == "line",
            entry=form == "entry",
            language=language,
        )

    def link_views(self, links: Sequence[parts.Link], key: Key) -> tuple[LinkView, ...]:
        """Returns the views of the further links of the part of the issue at `key`."""
        return tuple(
            LinkView(
                self.texts.line(link.text, (*key, "links", number, "text")),
                self.texts.line(link.url, (*key, "links", number, "url")),
            )
            for number, link in enumerate(links)
        )

    def tag_views(self, tags: Sequence[str], key: Key, language: str) -> tuple[TagView, ...]:
        """Returns the views of the tags of an item, or of the issue itself if `key` is ()."""
        return tuple(
            TagView.of(self.texts.line(tag, (*key, "tags", i)), language) for i, tag in enumerate(tags)
        )

    def image_view(self, image: parts.Image, key: Key) -> PictureView:
        """Returns the view of the picture at `key`."""
        texts = self.texts
        return texts.album.picture_view(
            WrittenPicture(
                image.src,
                texts.line(image.alt, (*key, "alt")),
                texts.caption(image.caption, (*key, "caption")),
                (*key, "src"),
                texts.line(image.url, (*key, "url")),
                width=image.width,
                credit=texts.line(image.credit, (*key, "credit")),
                place=image.place,
            )
        )

    def _is_lead(self, item: model.Item, place: ItemPlace) -> bool:
        """Returns whether the item is the lead of the issue, or would be if its layout had one."""
        if self._has_chosen_lead:
            return item.lead
        if not item.is_story or self._has_first:
            return False
        self._has_first = True
        return not place.is_list and item.event is None

    def _anchor_of(self, item: model.Item) -> str:
        """Returns the id of an item: `item-2` for the second numbered one, `event-1` and so on for others."""
        if item.is_advertisement:
            kind = "sponsor"
        elif not item.title:
            kind = "quote"
        else:
            kind = "event" if item.event else "item"
        self._anchors[kind] = self._anchors.get(kind, 0) + 1
        return f"{kind}-{self._anchors[kind]}"

    def _source_view(self, source: parts.Source, key: Key) -> SourceView:
        return SourceView(
            self.texts.line(source.name, (*key, "source", "name")),
            self.texts.line(source.url, (*key, "source", "url")),
        )

    def _quote_view(self, quote: parts.Quote, item_key: Key, level: int, language: str) -> QuoteView:
        key: Key = (*item_key, "quote")
        text = key if self.texts.positions.loaded.documents.get(key) else (*key, "text")
        tokens = self.texts.document(text).tokens
        words = " ".join(filter(None, (words_of(token.children or ()) for token in tokens)))
        blocks = sum(token.level == 0 and token.nesting >= 0 for token in tokens)
        if has_east_asian_characters(words):
            is_long = blocks > 1 or len(words) > _LONGEST_LARGE_QUOTE_IN_CHARACTERS
        else:
            is_long = blocks > 1 or len(words.split()) > _LONGEST_LARGE_QUOTE
        return QuoteView(
            text=self.texts.markdown(quote.text, text, level, inset=_QUOTE, language=language),
            by=self.texts.line(quote.by, (*key, "by")),
            url=self.texts.line(quote.url, (*key, "url")),
            is_long=is_long,
        )

    def _job_view(self, job: parts.Job, key: Key) -> JobView:
        return JobView(
            organisation=self.texts.line(job.organisation, (*key, "organisation")),
            place=self.texts.line(job.place, (*key, "place")),
            salary=self.texts.line(job.salary, (*key, "salary")),
            url=self.texts.line(job.url, (*key, "url")),
        )

    def _event_view(self, item: model.Item, event: parts.Event, item_key: Key) -> EventView:
        key: Key = (*item_key, "event")
        publication = self.settings.publication
        entry = CalendarEntry(
            title=self.texts.plain(item.title),
            edition=self.issue.edition,
            issued=self.issue.date,
            host=urlsplit(publication.base_url).hostname or "localhost",
            zone=publication.zone,
            url=self.texts.plain(event.url or item.url),
            place=", ".join(self.texts.plain(each) for each in (event.venue, event.address) if each),
        )
        times = event_times(event.starts, event.ends, self.issue.language)
        return EventView(
            starts=event.starts,
            ends=event.ends,
            month=times.month,
            day=times.day,
            weekday=times.weekday,
            hours=times.hours,
            whole=times.whole,
            venue=self.texts.line(event.venue, (*key, "venue")),
            address=self.texts.line(event.address, (*key, "address")),
            url=self.texts.line(event.url, (*key, "url")),
            _publish=lambda: self.texts.album.publish_file(calendar_file(event, entry)),
        )
