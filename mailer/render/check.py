"""Checks a rendition before it is sent: size, pictures, links, headings, contrast, text, unsubscribe link.

A problem with severity "error" must stop the sending; a warning is for the editor to judge. A problem names
the line of the issue's file where that is known, else the file alone.
"""

from __future__ import annotations

from collections.abc import Collection
from html.parser import HTMLParser
from urllib.parse import unquote

from mailer.colour import contrast_ratio
from mailer.config import Settings
from mailer.display_text import shortened
from mailer.errors import Problem, Severity
from mailer.issue.load import LoadedIssue
from mailer.render.anchors import in_page_links
from mailer.render.rendition import MEDIA, Rendition
from mailer.render.slots.slots import RenditionPart, SlotContext
from mailer.render.text.wrap import display_width

__all__ = ["check_rendition"]

#: Gmail clips a message above about 102 KB of HTML.
WARN_BYTES = 80_000
MAX_BYTES = 100_000
MAX_SUBJECT = 90
MAX_LINE = 998
#: WCAG 2.2, 1.4.3.
MIN_CONTRAST = 4.5

_SCHEMES = ("https://", "http://", "mailto:", "tel:", "webcal://")
_PARTS = (
    "parts are #item-1, #event-1, #quote-1, #sponsor-1, #section-1, and #heading-1 for the headings of "
    "body:, each counted from 1"
)

#: Links of about the length that real ones have.
_SAMPLE = {
    "subscriber.name": "Reader",
    "subscriber.email": "reader@example.org",
    "links.unsubscribe": "https://mail.example.org/u/" + "x" * 40,
    "links.preferences": "https://mail.example.org/p/" + "x" * 40,
}


def check_rendition(
    loaded: LoadedIssue, rendition: Rendition, settings: Settings, media: Collection[str] = MEDIA
) -> tuple[Problem, ...]:
    """Returns the errors and warnings about a rendition; an empty tuple if it can be sent as it is.

    `media` holds the names of the parts of the rendition to check; each is one of MEDIA.
    """
    findings = _FindingCollector(loaded)
    findings.problems += loaded.findings
    if "email" in media:
        html = rendition.html.fill(_SAMPLE)
        _check_html_size(findings, html)
        page = _PageScanner()
        page.feed(html)
        page.close()
        _check_markup(findings, page)
        if "web" in media:
            _check_in_page_links(findings, page, rendition)
    _check_subject(findings, rendition.subject)
    if "text" in media:
        _check_text_part(findings, rendition)
    _check_unsubscribe_links(findings, rendition, media)
    _check_colour_contrast(findings, settings)
    return tuple(dict.fromkeys((*findings.problems, *rendition.findings)))


class _FindingCollector:
    def __init__(self, loaded: LoadedIssue) -> None:
        self.loaded = loaded
        self.problems: list[Problem] = []

    def add(
        self,
        message: str,
        *key: str,
        severity: Severity = "error",
        file: str | None = None,
    ) -> None:
        path: str | None = file or self.loaded.path
        line = None
        if key:
            path, line = self.loaded.path_and_line_of(*key)
        self.problems.append(Problem(message, path, line, severity=severity))


def _check_html_size(findings: _FindingCollector, html: str) -> None:
    size = len(html.encode())
    if size > MAX_BYTES:
        findings.add(
            f"the HTML part has {size / 1000:.0f} KB; Gmail hides everything after {MAX_BYTES // 1000} KB, "
            "including the unsubscribe link. Shorten the issue"
        )
    elif size > WARN_BYTES:
        findings.add(
            f"the HTML part has {size / 1000:.0f} KB; Gmail hides everything after {MAX_BYTES // 1000} KB; "
            "shorten the issue",
            severity="warning",
        )


class _PageScanner(HTMLParser):
    """Collects the pictures, links, link targets and headings of an HTML page, for the checks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.no_alt: list[str] = []
        self.no_text: list[str] = []
        self.links: list[str] = []
        self.anchors: list[str] = []
        self.names: set[str] = set()
        self.levels: list[int] = []
        self._link: str | None = None
        self._filled = False
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.names |= {value for value in (values.get("id"), values.get("name")) if value}
        if tag == "img":
            if values.get("alt") is None:
                self.no_alt.append(values.get("src") or "")
            self._filled = self._filled or bool(values.get("alt"))
        elif tag == "a" and values.get("href") is not None:
            self._link, self._filled = values["href"] or "", bool(values.get("aria-label"))
            self.links.append(self._link)
        elif len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self.levels.append(int(tag[1]))
        self._style = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link is not None:
            if not self._filled:
                self.no_text.append(self._link)
            self._link = None
        self._style = False

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._style:
            self._filled = True


def _check_markup(findings: _FindingCollector, page: _PageScanner) -> None:
    for src in page.no_alt:
        findings.add(f"the picture {shortened(src)} has no alt text; add one for readers who cannot see it")
    for href in page.no_text:
        findings.add(
            f"the link to {shortened(href) or 'nowhere'} has no text; add words to the link",
            severity="warning",
        )
    for href in page.links:
        if href.startswith("#") and len(href) > 1:
            if unquote(href[1:]) not in page.names:
                findings.add(
                    f"the link to {shortened(href)} leads to nothing in the mail; "
                    "correct the link, or add the id",
                    severity="warning",
                )
        elif not href.lower().startswith(_SCHEMES):
            findings.add(
                f'a link leads to "{shortened(href)}"; it must begin with {", ".join(_SCHEMES)} or #'
            )
    last = 0
    for level in page.levels:
        if level > last + 1:
            above = f"after <h{last}>" if last else "as the first heading"
            findings.add(f"<h{level}> stands {above}; heading levels must not be skipped", severity="warning")
            break
        last = level


def _check_in_page_links(findings: _FindingCollector, page: _PageScanner, rendition: Rendition) -> None:
    """Reports each link of the issue that leads to a part which the mail or the web page does not have."""
    links = [found for found in in_page_links(findings.loaded) if _has_link_to(page, found[0])]
    if not links:
        return
    web = _PageScanner()
    web.feed(rendition.web)
    web.close()
    for name, path, line in links:
        missing = [
            where for where, names in (("mail", page.names), ("web page", web.names)) if name not in names
        ]
        if missing:
            where = " and in the ".join(missing)
            message = f"the link to #{shortened(name)} leads to nothing in the {where}; {_PARTS}"
            findings.problems.append(Problem(message, path, line))


def _has_link_to(page: _PageScanner, name: str) -> bool:
    """Returns whether the page holds a link to `#name`."""
    return any(href.startswith("#") and unquote(href[1:]) == name for href in page.links)


def _check_subject(findings: _FindingCollector, subject: RenditionPart) -> None:
    text = subject.fill(_SAMPLE)
    if not text.strip():
        findings.add("the subject must not be empty", "subject")
    elif display_width(text) > MAX_SUBJECT:
        findings.add(
            f"the subject takes {display_width(text)} columns, and phones show about 40; "
            f"keep it under {MAX_SUBJECT} columns",
            "subject",
            severity="warning",
        )


def _check_text_part(findings: _FindingCollector, rendition: Rendition) -> None:
    text = rendition.text.fill(_SAMPLE)
    if not text.strip():
        findings.add("the plain-text part is empty; correct the text template of the layout")
    if max((len(line.encode()) for line in text.split("\n")), default=0) > MAX_LINE:
        findings.add(
            f"a line of the plain-text part is longer than {MAX_LINE} bytes; "
            "use the filter `wrap` in the template",
            severity="warning",
        )


def _check_unsubscribe_links(
    findings: _FindingCollector, rendition: Rendition, media: Collection[str]
) -> None:
    """Reports each of the HTML part and the text part of the mail that has no unsubscribe link."""
    for medium, part, name, context in (
        ("email", rendition.html, "HTML", SlotContext.HREF),
        ("text", rendition.text, "plain-text", SlotContext.TEXT),
    ):
        if medium not in media:
            continue
        if not any("links.unsubscribe" in s.paths and s.context is context for s in part.slots):
            findings.add(f"the {name} part has no unsubscribe link; put links.unsubscribe into its template")


def _check_colour_contrast(findings: _FindingCollector, settings: Settings) -> None:
    brand = settings.brand
    for name, colour in (("ink", brand.ink), ("accent", brand.accent)):
        ratio = contrast_ratio(colour, brand.paper)
        if ratio < MIN_CONTRAST:
            findings.add(
                f"brand.{name} {colour} on brand.paper {brand.paper} has a contrast of {ratio:.1f}:1; "
                f"text must have at least {MIN_CONTRAST}:1; choose other colours",
                severity="warning",
                file="mailer.toml",
            )
