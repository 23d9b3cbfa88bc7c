"""An issue that uses every field there is, with a word of its own in each: no layout may drop one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from mailer.config import load_settings
from mailer.issue.load import LoadedIssue, load_issue

__all__ = ["FULL_WORDS", "ROOT", "full_issue"]

ROOT = Path(__file__).parents[1]

_ITEM = """
- title: Title{n}word that is long enough to need a second line on a narrow telephone
  body: |
    Body{n}word and [a link](https://www.example.org/an/address/{long}).

    - Bullet{n}word

    ![Inner{n}alt](pictures/market.png "Inner{n}caption")
  source: {{name: Source{n}name, url: "https://www.example.org/source{n}url"}}
  comment: Comment{n}word
  url: https://www.example.com/item{n}url
  image: {{src: pictures/harbour.png, alt: Image{n}alt, caption: Image{n}caption, url: "https://www.example.net/image{n}url"}}
  tags: [tag{n}one, tag{n}two]
"""

_REST = """\
edition: {edition}
date: 2026-11-21
language: {language}
title: Maintitle
subject: Mainsubject
preheader: Mainpreheader
intro: Intro**word**
body: |
  Longbody opens.

  ## Longheading

  ![Longalt](pictures/coldstore.png "Longcaption")

  ### Longsubheading

  > Longquote

  ```
  Longcode {long}
  ```

  | Longhead | b | c |
  |---|---|---|
  | Longcell | {long} | 3 |
column: {{title: Columntitle, byline: Columnbyline, body: Columnbody}}
call_to_action: {{text: Calltext, label: Calllabel, url: "https://www.example.org/callurl"}}
related: [{{title: Relatedtitle, url: "https://www.example.org/relatedurl"}}]
tags: [maintag]
notice: Noticeword
"""

#: What nobody may miss, whatever the medium.
FULL_WORDS = (
    "Maintitle",
    "Intro",
    "word",
    "Longbody",
    "Longheading",
    "Longalt",
    "Longcaption",
    "Longsubheading",
    "Longquote",
    "Longcode",
    "Longhead",
    "Longcell",
    "Columntitle",
    "Columnbyline",
    "Columnbody",
    "Calltext",
    "Calllabel",
    "callurl",
    "Relatedtitle",
    "relatedurl",
    "maintag",
    "Noticeword",
    "Title1word",
    "Body1word",
    "Bullet1word",
    "Inner1alt",
    "Inner1caption",
    "Source1name",
    "source1url",
    "Comment1word",
    "item1url",
    "Image1alt",
    "Image1caption",
    "image1url",
    "tag1one",
    "tag1two",
    "Title2word",
    "Body2word",
    "Comment2word",
    "Image2caption",
)


def full_issue(folder: Path, *, edition: str, sections: bool, language: str = "en") -> LoadedIssue:
    """The issue, in a copy of the repository's workspace at `folder`."""
    if not folder.exists():
        (folder / "issues").mkdir(parents=True)
        shutil.copy(ROOT / "mailer.toml", folder)
        shutil.copytree(ROOT / "issues/pictures", folder / "issues/pictures")
    long = "unbreakable" * 12
    items = "".join(_ITEM.format(n=n, long=long) for n in (1, 2))
    text = _REST.format(edition=edition, language=language, long=long)
    if sections:
        indented = re.sub(r"^(?=.)", "    ", items, flags=re.MULTILINE)
        text += f"sections:\n  - title: Sectiontitle\n    intro: Sectionintro\n    items:{indented}"
    else:
        text += f"items:{items}"
    path = folder / "issues" / "full.yaml"
    path.write_text(text, encoding="utf-8")
    return load_issue(path, load_settings(folder))
