"""Builds the views of an issue: the objects that templates read.

In a view, each slot is replaced by a marker. Templates can print Markdown texts and pictures directly.
"""

from __future__ import annotations

from collections.abc import Sequence

from mailer.config import Settings
from mailer.issue import model, parts
from mailer.issue.texts.preheader import preheader_filler
from mailer.issue.yaml.tree import Key
from mailer.language.dates import written_date
from mailer.render.faults import RenderingFaults
from mailer.render.pictures.picture_views import PictureViews
from mailer.render.slots.markers import Markers
from mailer.render.source_positions import SourcePositions
from mailer.render.views.item_builder import ItemViewBuilder
from mailer.render.views.prominence import ItemPlace, is_list
from mailer.render.views.texts import TextViews
from mailer.render.views.values import (
    BrandView,
    CallToActionView,
    ColumnView,
    IssueView,
    ItemView,
    NoticeView,
    RelatedGroupView,
    RelatedView,
    SectionView,
)

__all__ = ["ViewBuilder"]


class ViewBuilder:
    """Builds the views of one rendering. `album` collects the pictures that the templates use."""

    def __init__(
        self,
        positions: SourcePositions,
        settings: Settings,
        markers: Markers,
        image_base: str,
        faults: RenderingFaults,
    ) -> None:
        self.positions = positions
        self.settings = settings
        self.markers = markers
        self.album = PictureViews(positions, settings, image_base, faults)

    def issue_view(self, issue: model.Issue) -> IssueView:
        """Returns the view of the issue, or of a variant of the issue. Adds problems to `positions`."""
        builder = _IssueViewBuilder(self, issue)
        view = builder.issue_view()
        if not self.positions.problems:  # else the errors of their sources are reported already
            for message, key in builder.texts.faults_of_defaults:
                self.positions.add_problem(f"{key[0]}: {message}", key)
        return view

    def brand_view(self) -> BrandView:
        """Returns the view of the workspace's logo and colours.

        If the logo cannot be used, a ConfigError is reported to the RenderingFaults of this object.
        """
        colours = self.settings.brand.model_dump(exclude={"logo"})
        return BrandView(logo=self.album.logo_view(), **colours)


class _IssueViewBuilder:
    """Builds the views of one issue, or of one variant of it."""

    def __init__(self, views: ViewBuilder, issue: model.Issue) -> None:
        self.issue = issue
        self.positions = views.positions
        self.layout = views.settings.editions[issue.edition].layout
        self.texts = TextViews(views.positions, views.markers, views.album, issue.language)
        self.items = ItemViewBuilder(self.texts, issue, views.settings)
        self.keys = views.positions.keys_by_id(issue)

    def issue_view(self) -> IssueView:
        issue, texts = self.issue, self.texts
        listed = is_list(issue.items, issue.style, self.layout)
        items = self._item_views(issue, 3, issue.language, listed)
        sections = tuple(self._section_view(each, number) for number, each in enumerate(issue.sections, 1))
        return IssueView(
            date=issue.date,
            number=texts.line(issue.number, ("number",)),
            kicker=texts.line(issue.kicker, ("kicker",)),
            title=texts.line(issue.title, ("title",)),
            has_title=self.positions.loaded.has_own_title,
            subject=texts.line(issue.subject, ("subject",)),
            preheader=texts.line(issue.preheader, ("preheader",)),
            filler=preheader_filler(issue.preheader),
            standfirst=texts.markdown(issue.standfirst, ("standfirst",), 2),
            byline=texts.line(issue.byline, ("byline",)),
            intro=texts.markdown(issue.intro, ("intro",), 2),
            image=None if issue.image is None else self.items.image_view(issue.image, ("image",)),
            contents=issue.contents,
            numbering=issue.numbering or "",
            items=items,
            listed=listed,
            sections=sections,
            all_items=(*items, *(item for section in sections for item in section.items)),
            body=texts.markdown(issue.body, ("body",), 2, anchors="heading"),
            column=None if issue.column is None else self._column_view(issue.column),
            call_to_action=(
                None if issue.call_to_action is None else self._call_to_action_view(issue.call_to_action)
            ),
            related_groups=self._related_groups(issue.related),
            tags=self.items.tag_views(issue.tags, (), issue.language),
            notices=tuple(
                NoticeView(texts.markdown(each.text, ("notices", i, "text"), 3), each.place)
                for i, each in enumerate(issue.notices)
            ),
            notice=texts.markdown(issue.notice, ("notice",), 3),
            language=issue.language,
        )

    def _section_view(self, section: model.Section, number: int) -> SectionView:
        key, language = self.keys[id(section)], section.language or self.issue.language
        self.items.begin_section()
        listed = is_list(section.items, section.style, self.layout)
        return SectionView(
            number=number,
            anchor=f"section-{number}",
            title=self.texts.line(section.title, (*key, "title")),
            intro=self.texts.markdown(section.intro, (*key, "intro"), 3, language=section.language),
            image=None if section.image is None else self.items.image_view(section.image, (*key, "image")),
            body=self.texts.markdown(section.body, (*key, "body"), 3, language=section.language),
            items=self._item_views(section, 4, language, listed),
            listed=listed,
            language=language,
        )

    def _item_views(
        self, group: model.Issue | model.Section, level: int, language: str, listed: bool
    ) -> tuple[ItemView, ...]:
        """Returns the views of the items that stand directly in an issue or in a section."""
        placeholders = self.positions.loaded.placeholders
        in_section, as_stories = isinstance(group, model.Section), group.style == "stories"
        return tuple(
            self.items.item_view(
                item,
                self.keys[id(item)],
                level,
                ItemPlace(index if in_section else -1, language, listed, as_stories, placeholders),
            )
            for index, item in enumerate(group.items)
        )

    def _column_view(self, column: parts.Column) -> ColumnView:
        return ColumnView(
            title=self.texts.line(column.title, ("column", "title")),
            label=self.texts.line(column.label, ("column", "label")),
            byline=self.texts.line(column.byline, ("column", "byline")),
            body=self.texts.markdown(column.body, ("column", "body"), 3, language=column.language),
            language=column.language or self.issue.language,
        )

    def _call_to_action_view(self, call: parts.CallToAction) -> CallToActionView:
        key: Key = ("call_to_action",)
        return CallToActionView(
            text=self.texts.markdown(call.text, (*key, "text"), 3),
            label=self.texts.line(call.label, (*key, "label")),
            url=self.texts.line(call.url, (*key, "url")),
            condition=self.texts.markdown(call.condition, (*key, "condition"), 3),
            links=self.items.link_views(call.links, key),
        )

    def _related_groups(self, related: Sequence[parts.Related]) -> tuple[RelatedGroupView, ...]:
        """Returns the entries of further reading that are in no group as the first group, then the groups."""
        alone = [
            self._related_view(each, ("related", number))
            for number, each in enumerate(related)
            if not each.items
        ]
        groups = [
            RelatedGroupView(
                title=self.texts.line(group.title, ("related", number, "title")),
                url=self.texts.line(group.url, ("related", number, "url")),
                items=tuple(
                    self._related_view(each, ("related", number, "items", index))
                    for index, each in enumerate(group.items)
                ),
            )
            for number, group in enumerate(related)
            if group.items
        ]
        return (*([RelatedGroupView("", "", tuple(alone))] if alone else []), *groups)

    def _related_view(self, entry: parts.RelatedLink, key: Key) -> RelatedView:
        date = written_date(entry.date, self.issue.language)
        return RelatedView(
            title=self.texts.line(entry.title, (*key, "title")),
            url=self.texts.line(entry.url, (*key, "url")),
            kind=self.texts.line(entry.kind, (*key, "kind")),
            date=self.texts.line(date, (*key, "date")),
        )
