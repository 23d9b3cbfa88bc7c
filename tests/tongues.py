"""Issues in Arabic and English, whole and mixed, for tests of languages and directions."""

from __future__ import annotations

from pathlib import Path

from mailer.config import load_settings
from mailer.issue.load import load_issue
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition

__all__ = ["ARABIC", "ENGLISH", "MIXED", "READER", "rendered", "written"]

READER = {
    "subscriber.name": "Ann!",
    "subscriber.email": "ann@example.org",
    "links.unsubscribe": "https://news.example.org/u/one.two",
    "links.preferences": "https://news.example.org/p/one.two",
}

_ITEM = """\
title: {title}
{language}body: |
  {text} `make run;` <https://www.example.org/a/>

  - {text}

  > {text}

  ```
  code here;
  ```

  | {text} | {text} |
  |---|---|
  | {text} | 120 |
source: {{name: Harbour Wire!, url: "https://www.example.org/a"}}
comment: {text}
url: https://www.example.org/full
tags: [{text}, ports]
"""


def _item(text: str, language: str = "") -> str:
    item = _ITEM.format(title=text, text=text, language=f"language: {language}\n" if language else "")
    return "  - " + item.replace("\n", "\n    ").rstrip() + "\n"


ARABIC = (
    "language: ar\ntitle: موجز الميناء\n"
    'intro: صباح الخير، {{ subscriber.name or "قارئنا" }}.\n'
    "items:\n"
    + _item("الرافعات هادئة")
    + _item("السوق مفتوح")
    + "column: {title: كلمة, byline: ميم, body: نص}\n"
    'call_to_action: {text: أسئلة, label: شارك, url: "https://www.example.org/survey"}\n'
    "related: [{title: أمس, url: 'https://www.example.org/b'}]\ntags: [ports, شحن]\n"
)
ENGLISH = (
    "language: en\ntitle: Morning on the quay\nintro: Good morning.\n"
    "items:\n"
    + _item("Cranes rest")
    + _item("The market opens")
    + "column: {title: A word, byline: Mei, body: Text}\n"
    'call_to_action: {text: Questions, label: Share, url: "https://www.example.org/survey"}\n'
)
#: One item of each issue, and the column, in the other language.
MIXED = {
    "en": ENGLISH.replace(_item("Cranes rest"), _item("الرافعات هادئة", "ar")).replace(
        "{title: A word, byline: Mei, body: Text}", "{language: ar, title: كلمة, byline: ميم, body: نص}"
    ),
    "ar": ARABIC.replace(_item("الرافعات هادئة"), _item("Cranes rest", "en")).replace(
        "{title: كلمة, byline: ميم, body: نص}", "{language: en, title: A word, byline: Mei, body: Text}"
    ),
}


def written(root: Path, text: str, edition: str) -> Path:
    """The issue as a file of the workspace at `root`; its items in a section where the layout has them."""
    if edition == "evening" and "sections:" not in text:
        text = text.replace("items:\n", "sections:\n- title: Ports\n  items:\n")
    path = root / "issues" / "tongues.yaml"
    path.write_text(f"edition: {edition}\ndate: 2026-11-23\n{text}", "utf-8")
    return path


def rendered(root: Path, text: str, edition: str = "morning") -> Rendition:
    """The issue with the built-in theme."""
    settings = load_settings(root)
    loaded = load_issue(written(root, text, edition), settings)
    return render_variants(loaded, settings, slug="tongues", variants=[0])[0]
