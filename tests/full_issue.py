# ruff: noqa: E501 (a table reads better than its folded lines)
"""An issue that uses every field there is, with a word of its own in each: no layout may drop one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from mailer.config import load_settings
from mailer.issue.load import LoadedIssue, load_issue

__all__ = ["FULL_WORDS", "NEW_WORDS", "NEW_WORDS_OF_SECTIONS", "ROOT", "full_issue"]

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

#: What an issue may have since version 0.7.0.
_NEW_ITEMS = """
- title: Newtitle
  byline: Newbyline
  body: |
    Newbody

    > Newquoted
    > — Newattribution
  source: Newsource
  url: https://www.example.com/newurl
  label: Newlabel
  lead: yes
  links:
    - {text: Newlinkone, url: "https://www.example.com/newlinkoneurl"}
    - {text: Newlinktwo, url: "https://www.example.com/newlinktwourl"}
  image:
    - {src: pictures/harbour.png, alt: Newabovealt, credit: Newabovecredit}
    - {src: pictures/harbour.png, alt: Newbelowalt, caption: Newbelowcaption, place: below}
    - {src: pictures/harbour.png, alt: Newafteralt, url: "https://www.example.net/newafterurl", place: After}
- title: Adtitle
  body: Adbody
  sponsored: yes
  source: {name: Adsponsor, url: "https://www.example.com/adsponsorurl"}
  url: https://www.example.com/adurl
  label: Adlabel
- quote: {text: Quotetext, by: Quoteby, url: "https://www.example.com/quoteurl"}
- title: Quotedtitle
  quote: Quotedtext
- title: Eventtitle
  body: Eventbody
  event:
    starts: 2026-12-20T18:00
    ends: 2026-12-20T21:00
    venue: Eventvenue
    address: Eventaddress
    url: https://www.example.com/eventurl
- title: Jobtitle
  body: Jobbody
  job: {organisation: Joborganisation, place: Jobplace, salary: Jobsalary, url: "https://www.example.com/joburl"}
  label: Joblabel
"""

_NEW_LIST = """
  - title: Listsection
    style: list
    image: {src: pictures/market.png, alt: Listalt, caption: Listcaption, credit: Listcredit}
    body: Listbody
    items:
      - {title: Entryone, url: "https://www.example.com/entryoneurl"}
      - {title: Entrytwo, body: Entrytwobody, source: Entrytwosource, url: "https://www.example.com/entrytwourl", label: Entrytwolabel}
  - title: Textsection
    body: Textsectionbody
"""

_NEW_REST = """
number: 528
kicker: Mainkicker
standfirst: Mainstandfirst
byline: Mainbyline
image: {src: pictures/coldstore.png, alt: Coveralt, caption: Covercaption, credit: Covercredit, url: "https://www.example.net/coverurl"}
contents: yes
numbering: by-section
column: {label: Columnlabel, title: Columntitle, byline: Columnbyline, body: Columnbody}
call_to_action:
  text: Calltext
  label: Calllabel
  url: https://www.example.org/callurl
  condition: Callcondition
  links: [{text: Calllink, url: "https://www.example.org/calllinkurl"}]
related:
  - {title: Relatedtitle, url: "https://www.example.org/relatedurl", kind: Relatedkind, date: Relateddate}
  - title: Grouptitle
    url: https://www.example.org/groupurl
    items: [{title: Groupedtitle, url: "https://www.example.org/groupedurl"}, {title: Unlinkedtitle}]
notices: [{text: Noticebefore, place: before}, {text: Noticeafter}, {text: Noticefooter, place: footer}]
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

#: What nobody may miss in an issue with the new keys, beside `FULL_WORDS`.
NEW_WORDS = tuple(
    "Newtitle Newbyline Newbody Newquoted Newattribution Newsource newurl Newlabel Newlinkone newlinkoneurl "  # noqa: SIM905
    "Newlinktwo newlinktwourl Newabovealt Newabovecredit Newbelowalt Newbelowcaption Newafteralt newafterurl "
    "Adtitle Adbody Adsponsor adsponsorurl adurl Adlabel Quotetext Quoteby quoteurl Quotedtitle Quotedtext "
    "Eventtitle Eventbody Eventvenue Eventaddress eventurl .ics Jobtitle Jobbody Joborganisation Jobplace "
    "Jobsalary joburl Joblabel 528 Mainkicker Mainstandfirst Mainbyline Coveralt Covercaption Covercredit "
    "coverurl Columnlabel Callcondition Calllink calllinkurl Relatedkind Relateddate Grouptitle groupurl "
    "Groupedtitle groupedurl Unlinkedtitle Noticebefore Noticeafter Noticefooter".split()
)
#: The same of sections.
NEW_WORDS_OF_SECTIONS = tuple(
    "Listsection Listalt Listcaption Listcredit Listbody Entryone entryoneurl Entrytwo Entrytwobody "  # noqa: SIM905
    "Entrytwosource entrytwourl Entrytwolabel Textsection Textsectionbody".split()
)


def full_issue(
    folder: Path, *, edition: str, sections: bool, language: str = "en", new: bool = False
) -> LoadedIssue:
    """The issue, in a copy of the repository's workspace at `folder`; with `new` also the new keys."""
    if not folder.exists():
        (folder / "issues").mkdir(parents=True)
        shutil.copy(ROOT / "mailer.toml", folder)
        shutil.copytree(ROOT / "issues/pictures", folder / "issues/pictures")
    long = "unbreakable" * 12
    items = "".join(_ITEM.format(n=n, long=long) for n in (1, 2))
    text = _REST.format(edition=edition, language=language, long=long)
    if new:
        items += _NEW_ITEMS.removeprefix("\n")
        text = re.sub(r"^(?:column|call_to_action|related):.*\n", "", text, flags=re.MULTILINE) + _NEW_REST
    if sections:
        indented = re.sub(r"^(?=.)", "    ", items, flags=re.MULTILINE)
        text += f"sections:\n  - title: Sectiontitle\n    intro: Sectionintro\n    items:{indented}"
        text += _NEW_LIST.removeprefix("\n") if new else ""
    else:
        text += f"items:{items}"
    path = folder / "issues" / "full.yaml"
    path.write_text(text, encoding="utf-8")
    return load_issue(path, load_settings(folder))
