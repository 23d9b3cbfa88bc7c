"""Adjusts the HTML that the library MRML makes, in one place, to what mail programs show well.

MRML writes `word-break:break-word` on the cell of each element, so that tables break within words, and
`margin:0px auto` on each section, which Outlook ignores: an `align` attribute centres them everywhere. Its
own style sheet would be inlined into each table and cell of the mail. It also ignores `inline="inline"` of an
`mj-style`; MJML removes such a style sheet from the page after its rules are inlined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mailer.render.html.empty_links import without_empty_links

__all__ = ["INLINE_ONLY", "adjust_mrml_html", "StyleSheet", "compact_styles", "style_sheets"]

#: An attribute of `<style>` elements that the inliner removes from the page after it has inlined their rules.
INLINE_ONLY = "data-inline-only"

_SHEET = re.compile(
    r"<mj-style\b(?P<attributes>[^<>]*)(?<!/)>(?P<rules>.*?)</mj-style\s*>", re.DOTALL | re.IGNORECASE
)
_INLINE = re.compile(r"""\binline\s*=\s*["']inline["']""")
#: MRML's own style sheet: the first one of the page.
_OWN_SHEET = re.compile(r"<style type=\"text/css\">\s*#outlook a \{.*?</style>", re.DOTALL)
_BASE_SHEET = """<style type="text/css" data-premailer="ignore">
#outlook a { padding: 0; }
body { margin: 0; padding: 0; -webkit-text-size-adjust: 100%; -ms-text-size-adjust: 100%; }
table, td { border-collapse: collapse; mso-table-lspace: 0pt; mso-table-rspace: 0pt; }
img { border: 0; height: auto; -ms-interpolation-mode: bicubic; }
</style>"""
#: A start tag with a style attribute. Words outside tags, and other attributes, may look like one.
_STYLED_TAG = re.compile(
    r"""<[A-Za-z](?:[^<>"']|"[^"]*"|'[^']*')*?\sstyle="[^"]*"(?:[^<>"']|"[^"]*"|'[^']*')*>"""
)
_ATTRIBUTE = re.compile(r"""(?P<name>[^\s"'<>/=]+)=(?:"(?P<value>[^"]*)"|'[^']*')""")
_UNWANTED = re.compile(r"(?<![a-z-])(?:word-break:break-word|outline:none|margin:0(?:px)? auto);?")
_BODY = re.compile(r"(<body\b[^>]*>\s*<div\b)(?![^>]*\salign=)")


def compact_styles(html: str) -> str:
    """Returns the HTML without the blanks between declarations of `style` attributes."""
    # Where there is a quote, `; ` may stand within a value.
    return _with_changed_styles(html, lambda css: css if "'" in css else css.replace("; ", ";"))


def _with_changed_styles(html: str, change: Callable[[str], str]) -> str:
    """Returns the HTML in which each value of a `style` attribute is what `change` returns for it."""

    def changed_attribute(found: re.Match[str]) -> str:
        if found["name"] != "style" or found["value"] is None:
            return found[0]
        return f'style="{change(found["value"])}"'

    return _STYLED_TAG.sub(lambda tag: _ATTRIBUTE.sub(changed_attribute, tag[0]), html)


@dataclass(frozen=True, slots=True)
class StyleSheet:
    """Holds the rules of an `mj-style` and the offset where they begin.

    `inline_only` tells whether the style sheet does not stay in the mail.
    """

    rules: str
    offset: int
    inline_only: bool


def style_sheets(markup: str) -> list[StyleSheet]:
    """Returns the style sheets of the MJML `markup`."""
    return [
        StyleSheet(found["rules"], found.start("rules"), bool(_INLINE.search(found["attributes"])))
        for found in _SHEET.finditer(markup)
    ]


def adjust_mrml_html(html: str, inline_only: Iterable[str] = ()) -> str:
    """Returns the HTML of MRML with the changes for mail programs that are told at the top of this module.

    `inline_only` are the style sheets that are marked with the attribute INLINE_ONLY.
    """
    html = _OWN_SHEET.sub(lambda _: _BASE_SHEET, html, count=1)
    for rules in inline_only:
        html = html.replace(
            f'<style type="text/css">{rules.strip()}</style>',
            f'<style type="text/css" {INLINE_ONLY}>{rules}</style>',
        )
    html = _with_changed_styles(html, lambda css: _UNWANTED.sub("", css))
    return _BODY.sub(r'\1 align="center"', without_empty_links(html), count=1)
