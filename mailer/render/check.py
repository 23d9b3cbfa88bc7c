"""Checks a rendition before it is sent: size, pictures, links, headings, contrast, text, unsubscribe link.

A problem with severity "error" must stop a sending; a warning is for the editor to weigh. Places are those
of the issue as far as they can be told, else its file.
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
from mailer.render.slots.slots import Context, Part
from mailer.render.text.wrap import columns

__all__ = ["check_rendition"]

#: Gmail clips a message above about 102 KB of HTML.
WARN_BYTES = 80_000
MAX_BYTES = 100_000
MAX_SUBJECT = 90
MAX_LINE = 998
#: WCAG 2.2, 1.4.3.
MIN_CONTRAST = 4.5

_SCHEMES = ("https://", "http://", "mailto:", "tel:", "webcal://")
_PARTS = "parts are #item-1, #section-1, and #heading-1 for the headings of body:, each counted from 1"

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
    """Returns the errors and warnings about a rendition. There are none where it is fit to be sent.

    Of a rendition that lacks a part, `media` names the parts to look at.
    """
    findings = _Findings(loaded)
    findings.problems += loaded.findings
    if "email" in media:
        html = rendition.html.fill(_SAMPLE)
        _size(findings, html)
        page = _Page()
        page.feed(html)
        page.close()
        _markup(findings, page)
        if "web" in media:
            _anchors(findings, page, rendition)
    _subject(findings, rendition.subject)
    if "text" in media:
        _text(findings, rendition)
    _leave_link(findings, rendition, media)
    _contrast(findings, settings)
    return tuple(dict.fromkeys((*findings.problems, *rendition.findings)))


class _Findings:
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


def _size(findings: _Findings, html: str) -> None:
    size = len(html.encode())
    if size > MAX_BYTES:
        findings.add(
            f"the HTML has {size / 1000:.0f} KB; Gmail cuts off what is over {MAX_BYTES // 1000} KB, "
            "the unsubscribe link first. Leave something out"
        )
    elif size > WARN_BYTES:
        findings.add(
            f"the HTML has {size / 1000:.0f} KB, near the {MAX_BYTES // 1000} KB where Gmail cuts it off",
            severity="warning",
        )


class _Page(HTMLParser):
    """Collects what is checked of a page: pictures, links, names of parts, headings."""

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


def _markup(findings: _Findings, page: _Page) -> None:
    for src in page.no_alt:
        findings.add(f"the picture {shortened(src)} has no alt text for those who cannot see it")
    for href in page.no_text:
        findings.add(f"the link to {shortened(href) or 'nowhere'} has no text", severity="warning")
    for href in page.links:
        if href.startswith("#") and len(href) > 1:
            if unquote(href[1:]) not in page.names:
                findings.add(
                    f"the link to {shortened(href)} leads to nothing in the mail", severity="warning"
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


def _anchors(findings: _Findings, page: _Page, rendition: Rendition) -> None:
    """Reports the issue's links within the page whose target is missing in the mail or the web page."""
    links = [found for found in in_page_links(findings.loaded) if _leads(page, found[0])]
    if not links:
        return
    web = _Page()
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


def _leads(page: _Page, name: str) -> bool:
    """Returns whether the page, which may be a variant without that link, has a link to a part of it."""
    return any(href.startswith("#") and unquote(href[1:]) == name for href in page.links)


def _subject(findings: _Findings, subject: Part) -> None:
    text = subject.fill(_SAMPLE)
    if not text.strip():
        findings.add("the subject is empty", "subject")
    elif columns(text) > MAX_SUBJECT:
        findings.add(
            f"the subject takes {columns(text)} columns, of which phones show about 40; "
            f"keep it under {MAX_SUBJECT}",
            "subject",
            severity="warning",
        )


def _text(findings: _Findings, rendition: Rendition) -> None:
    text = rendition.text.fill(_SAMPLE)
    if not text.strip():
        findings.add("the plain-text part is empty; look at the text template of the layout")
    if max((len(line.encode()) for line in text.split("\n")), default=0) > MAX_LINE:
        findings.add(
            f"a line of the plain-text part is longer than {MAX_LINE} bytes; use the filter wrap there",
            severity="warning",
        )


def _leave_link(findings: _Findings, rendition: Rendition, media: Collection[str]) -> None:
    """Reports a part of the mail that has no unsubscribe link."""
    for medium, part, name, context in (
        ("email", rendition.html, "HTML", Context.HREF),
        ("text", rendition.text, "plain-text", Context.TEXT),
    ):
        if medium not in media:
            continue
        if not any("links.unsubscribe" in s.paths and s.context is context for s in part.slots):
            findings.add(f"the {name} part has no unsubscribe link; put links.unsubscribe into its template")


def _contrast(findings: _Findings, settings: Settings) -> None:
    brand = settings.brand
    for name, colour in (("ink", brand.ink), ("accent", brand.accent)):
        ratio = contrast_ratio(colour, brand.paper)
        if ratio < MIN_CONTRAST:
            findings.add(
                f"brand.{name} {colour} on brand.paper {brand.paper} has a contrast of {ratio:.1f}:1; "
                f"text needs {MIN_CONTRAST}:1",
                severity="warning",
                file="mailer.toml",
            )
