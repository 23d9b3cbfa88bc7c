# ruff: noqa: E501 (a table reads better than its folded lines)
"""The text part of each layout has all that an issue holds, in the order of the mail."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mailer.config import Settings, load_settings
from mailer.issue.load import LoadedIssue, load_issue
from mailer.render.render import examine_variants, render_variants
from mailer.render.text.wrap import display_width
from tests.full_issue import FULL_WORDS, NEW_WORDS, NEW_WORDS_OF_SECTIONS, full_issue

READER = {
    "subscriber.email": "lin@example.org",
    "links.unsubscribe": "https://news.example.org/u/one.two",
    "links.preferences": "https://news.example.org/p/one.two",
}
LAYOUTS = ("morning", "evening", "feature", "brief", "digest")
RULE = "-" * 40

Text = Callable[..., str]


def with_layout(settings: Settings, layout: str) -> Settings:
    editions = {key: each.model_copy(update={"layout": layout}) for key, each in settings.editions.items()}
    return settings.model_copy(update={"editions": editions})


def text_of(loaded: LoadedIssue, settings: Settings) -> str:
    faults: list[object] = []
    ((rendition, made),) = examine_variants(loaded, settings, slug="test", variants=(0,), faults=faults)  # type: ignore[arg-type]
    assert "text" in made, faults
    return rendition.text.fill(READER)


@pytest.fixture
def text(workspace: Path, settings: Settings) -> Text:
    """The text part of an issue, without what stands around it in every issue."""

    def rendered(keys: str, layout: str = "evening", language: str = "en") -> str:
        changed = with_layout(settings, layout)
        path = workspace / "issues/text.yaml"
        path.write_text(f"edition: evening\ndate: 2026-11-21\nlanguage: {language}\n{keys}", "utf-8")
        whole = text_of(load_issue(path, changed), changed)
        head, _, rest = whole.partition("=" * 40 + "\n")
        assert head.startswith("Evening Brief\n")
        body, rule, foot = rest.rpartition(RULE + "\n")
        assert rule
        assert READER["links.unsubscribe"] in foot
        return body.strip("\n") + "\n"

    return rendered


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("sections", [False, True])
@pytest.mark.parametrize("language", ["en", "zh", "ar"])
def test_nothing_that_an_editor_wrote_is_left_out(
    tmp_path: Path, layout: str, sections: bool, language: str
) -> None:
    folder = tmp_path / "desk"
    loaded = full_issue(folder, edition="evening", sections=sections, language=language, new=True)
    shown = text_of(loaded, with_layout(load_settings(folder), layout))
    words = (*FULL_WORDS, *NEW_WORDS, *(NEW_WORDS_OF_SECTIONS if sections else ()))
    assert [word for word in words if word not in shown] == []
    # Each text once, however it is shown; a headline may also be in the contents.
    assert {word for word in NEW_WORDS if shown.count(word) > 2} <= {"Adsponsor", ".ics"}
    assert "\n\n\n" not in shown
    assert not re.search(r"[ \t]\n", shown)
    assert all(display_width(line) <= 78 for line in shown.split("\n") if "unbreakable" not in line)


def test_the_order_is_that_of_the_mail(tmp_path: Path) -> None:
    folder = tmp_path / "desk"
    loaded = full_issue(folder, edition="evening", sections=True, new=True)
    shown = text_of(loaded, load_settings(folder))
    order = (
        "No. 528", "Mainkicker", "Maintitle", "Mainstandfirst", "Mainbyline", "Introword", "Coveralt", "Covercaption",
        "Covercredit", "coverurl", "Noticebefore", "In this issue", "Longbody", "Sectionintro",
        "\n 3. Newtitle", "Newbyline", "Newabovealt", "Newbelowalt", "Newbody", "Newafteralt", "Newsource",
        "Newlabel", "newurl", "Newlinkone", "Newlinktwo", "Sponsored by Adsponsor", "Adtitle", "Adbody", "adurl",
        "> Quotetext", "— Quoteby", "quoteurl", "\n* Eventtitle", "When: Sunday", "Where: Eventvenue, Eventaddress",
        "Eventbody", "eventurl", "Add to calendar:", ".ics", "\n 5. Jobtitle", "Joborganisation · Jobplace · Jobsalary",
        "Jobbody", "Joblabel", "joburl", "Listalt", "Listcredit", "Listbody", " 1. Entryone", " 2. Entrytwo",
        "Textsectionbody", "Noticeafter", "Columnlabel: Columntitle", "Calltext", "Calllabel", "callurl",
        "Callcondition", "Calllink", "Further reading", "Relatedtitle (Relatedkind, Relateddate)", "Grouptitle",
        "groupurl", "Groupedtitle", "Unlinkedtitle", "Filed under", "Noticeword", "Noticefooter", "Unsubscribe:",
    )  # fmt: skip
    places = [shown.find(word) for word in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)


def test_a_number_of_digits_has_a_word_before_it(workspace: Path, settings: Settings) -> None:
    def second_line(number: str, language: str = "en") -> str:
        path = workspace / "issues/text.yaml"
        path.write_text(
            f"edition: evening\ndate: 2026-11-21\nlanguage: {language}\nnumber: {number}\nbody: x\n"
        )
        return text_of(load_issue(path, settings), settings).split("\n")[1]

    assert second_line("528").endswith("2026 · No. 528")
    assert second_line("528", "zh").endswith(" · 第 528 期")
    assert second_line("Winter 3").endswith("2026 · Winter 3")
    assert second_line("").endswith("2026")


THREE = "items: [{title: a, body: x}, {title: b, body: x}, {title: c, body: x}]\n"
LIST = "items: [{title: a}, {title: b}, {title: c}]\n"
IN_SECTIONS = """\
sections:
  - {title: One, items: [{title: a, body: x}, {title: b, body: x}, {title: 'Advert: p', body: x}]}
  - {title: Two, items: [{title: c}, {title: d}]}
  - {title: Three, body: x}
"""


@pytest.mark.parametrize(
    ("keys", "layout", "contents"),
    [
        (THREE, "morning", "3 stories in this issue\n\n 1. a\n 2. b\n 3. c\n"),
        (THREE, "evening", "3 stories in this issue\n\n  * a\n  * b\n  * c\n"),
        ("numbering: none\n" + THREE, "morning", "3 stories in this issue\n\n  * a\n  * b\n  * c\n"),
        ("numbering: through\n" + THREE, "evening", "3 stories in this issue\n\n 1. a\n 2. b\n 3. c\n"),
        ("contents: no\n" + THREE, "morning", ""),
        (THREE, "brief", ""),
        (THREE, "digest", ""),
        ("contents: yes\n" + THREE, "brief", "3 stories in this issue\n\n  * a\n  * b\n  * c\n"),
        (LIST, "morning", ""),
        # A list does not stand there a second time.
        ("contents: yes\n" + LIST, "evening", ""),
        ("contents: yes\nitems: [{title: a, body: x}]\n", "evening", "1 story in this issue\n\n  * a\n"),
        # Advertisements and quotes are not counted.
        ("items: [{title: a, body: x}, {title: b, body: x}, {title: 'Sponsor: c'}, {quote: d}]\n", "evening", ""),
        ("contents: yes\nitems: [{title: 'Sponsor: c'}]\n", "evening", ""),
        ("contents: yes\nbody: x\n", "evening", ""),
        (IN_SECTIONS, "evening", "In this issue\n\n  * One, 2 stories\n  * Two, 2\n  * Three\n"),
        (
            IN_SECTIONS,
            "morning",
            "In this issue\n\n  * One\n     1. a\n     2. b\n  * Two, 2\n  * Three\n",
        ),
        (
            "numbering: by-section\n" + IN_SECTIONS.replace("{title: d}", "{title: d, event: {starts: 2026-12-20}}"),
            "evening",
            "In this issue\n\n  * One\n     1. a\n     2. b\n  * Two\n     1. c\n      * d\n  * Three\n",
        ),
        ("sections: [{title: s, items: [{title: a}, {title: b}, {title: c, body: x}]}]\n", "evening", ""),
    ],
)  # fmt: skip
def test_contents(text: Text, keys: str, layout: str, contents: str) -> None:
    shown = text(keys, layout)
    if contents:
        assert shown.startswith(contents)
    else:
        assert "in this issue" not in shown.lower()


def test_entries_of_a_list_have_no_rules_between_them(text: Text) -> None:
    keys = """\
items:
  - {title: One, url: "https://example.com/1"}
  - {title: Two, url: "https://example.com/2"}
  - {title: Three, url: "https://example.com/3", source: Wire}
  - {title: Four}
  - {title: Five, url: "https://example.com/5", label: See it}
"""
    entries = """\
{}One
{}https://example.com/1
{}Two
{}https://example.com/2

{}Three
{}https://example.com/3
{}Source: Wire

{}Four

{}Five
{}See it
{}https://example.com/5
"""
    dotted = (
        entries.replace("{}h", "  h").replace("{}So", "  So").replace("{}See", "  See").replace("{}", "* ")
    )
    assert text(keys) == f"{RULE}\n\n{dotted}"
    assert text("numbering: through\n" + keys).startswith(
        f"{RULE}\n\n 1. One\n    https://example.com/1\n 2. Two\n"
    )


def test_an_entry_may_have_everything(text: Text) -> None:
    assert (
        text("""\
style: list
items:
  - title: One
    byline: By Ann
    body: "Words.\\n\\n- more"
    image: [{src: "https://example.com/a.png", alt: A, caption: C}, {src: "https://example.com/b.png", alt: B, place: after}]
    source: {name: Wire, url: "https://example.com/wire"}
    url: https://example.com/1
    links: [{text: Talk, url: "https://example.com/talk"}]
    comment: Hm.
  - title: Two
""")
        == f"""\
{RULE}

* One
  https://example.com/1
  By Ann
  [A]
  C
  Words.

  • more
  [B]
  Source: Wire
  https://example.com/wire
  Talk
  https://example.com/talk
    | Editor’s comment
    | Hm.

* Two
"""
    )


def test_an_advertisement_is_set_off_by_rules(text: Text) -> None:
    shown = text("""\
sections:
  - title: One
    items:
      - {title: Ad, sponsored: yes, source: Acme, url: "https://example.com/ad"}
      - {title: Story, body: x}
      - {title: "Sponsor: Other", body: y}
tags: [a]
""")
    assert (
        shown
        == f"""\
{"=" * 40}
One
{"=" * 40}

{RULE}

Sponsored by Acme

* Ad

Read in full:
https://example.com/ad

{RULE}

* Story

x

{RULE}

Sponsored

* Sponsor: Other

y

{RULE}

Filed under: a
"""
    )


@pytest.mark.parametrize("after", ["column: {body: x}\n", "related: [{title: x}]\n", ""])
def test_no_rule_stands_twice_after_an_advertisement(text: Text, after: str) -> None:
    shown = text("items: [{title: Ad, sponsored: yes}]\n" + after)
    assert f"{RULE}\n\n{RULE}" not in shown


def test_events(text: Text) -> None:
    def event(keys: str, more: str = "", language: str = "en") -> list[str]:
        shown = text(
            f"items: [{{title: a, event: {{starts: 2026-12-20, {keys}}}{more}}}]\n", language=language
        )
        kept = shown.split("\n")[4:]
        return [line for line in kept if line and ".ics" not in line]

    day = "When: Sunday, December 20, 2026"
    assert event("") == [day, "Add to calendar:"]
    assert event("venue: Hall") == [day, "Where: Hall", "Add to calendar:"]
    assert event("address: Quay 2") == [day, "Where: Quay 2", "Add to calendar:"]
    own, other = "https://example.com/own", "https://example.com/event"
    assert event("", f", url: '{own}'") == [day, "Details", own, "Add to calendar:"]
    assert event(f"url: '{other}'") == [day, "Details", other, "Add to calendar:"]
    assert event(f"url: '{own}'", f", url: '{own}'") == [day, "Read in full:", own, "Add to calendar:"]
    both = event(f"url: '{other}'", f", url: '{own}', label: Come")
    assert both == [day, "Read in full:", own, "Come", other, "Add to calendar:"]
    assert event("", f", url: '{own}', label: Come") == [day, "Come", own, "Add to calendar:"]
    assert event(f"url: '{own}'", f", url: '{own}', label: Come") == [day, "Come", own, "Add to calendar:"]
    assert event(f"url: '{other}'", ", label: Come") == [day, "Come", other, "Add to calendar:"]
    chinese = event("venue: 会展中心, address: 琶洲路 1 号", language="zh")
    assert chinese == ["时间：2026年12月20日星期日", "地点：会展中心，琶洲路 1 号", "加入日历："]
    assert "Hall، Quay" in "\n".join(event("venue: Hall, address: Quay", language="ar"))


def test_jobs(text: Text) -> None:
    own, other = "https://example.com/own", "https://example.com/apply"

    def job(keys: str, more: str = "") -> list[str]:
        shown = text(f"items: [{{title: a, job: {{{keys}}}{more}}}]\n")
        return [line for line in shown.split("\n")[4:] if line]

    assert job("place: Quay, salary: much") == ["Quay · much"]
    assert job(f"organisation: Port, url: '{other}'") == ["Port", "Apply", other]
    assert job(f"url: '{other}'", ", label: Write to us") == ["Write to us", other]
    assert job(f"url: '{other}'", f", url: '{own}'") == ["Read in full:", own, "Apply", other]
    labelled = job(f"url: '{other}'", f", url: '{own}', label: Write to us")
    assert labelled == ["Read in full:", own, "Write to us", other]
    assert job(f"url: '{own}'", f", url: '{own}'") == ["Read in full:", own]


@pytest.mark.parametrize(
    ("language", "quote", "lines"),
    [
        ("en", "Words.", ["> Words."]),
        ("en", "{text: Words., by: Ann}", ["> Words.", "— Ann"]),
        ("zh", "{text: 话。, by: 鲁迅}", ["> 话。", "—— 鲁迅"]),
        ("en", "{text: Words., by: — Ann}", ["> Words.", "— Ann"]),
        ("en", "{text: Words., url: 'https://example.com/'}", ["> Words.", "https://example.com/"]),
        ("en", "{text: Words., by: Ann, url: 'https://example.com/'}", ["> Words.", "— Ann", "https://example.com/"]),
    ],
)  # fmt: skip
def test_quotes(text: Text, language: str, quote: str, lines: list[str]) -> None:
    shown = text(f"items: [{{quote: {quote}}}]\n", language=language)
    assert shown == f"{RULE}\n\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("call", "lines"),
    [
        ("{text: Words.}", "Words.\n"),
        ("{label: Go, url: 'https://example.com/'}", "Go\nhttps://example.com/\n"),
        ("{label: Come to the hall}", "Come to the hall\n"),
        (
            "{text: Words., label: Go, url: 'https://example.com/', condition: For all., links: [{text: Terms, url: 'https://example.com/t'}]}",
            "Words.\n\nGo\nhttps://example.com/\n\nFor all.\n\nTerms\nhttps://example.com/t\n",
        ),
        ("{condition: For all.}", "For all.\n"),
    ],
)
def test_a_call_to_action(text: Text, call: str, lines: str) -> None:
    call_rule = "=" * 40
    shown = text(f"body: x\ncall_to_action: {call}\n")
    assert re.sub(r"\n\n+", "\n\n", shown.split(call_rule + "\n")[1].lstrip("\n")) == lines


def test_a_column_may_have_a_label_or_no_title(text: Text) -> None:
    assert "\nThe editor’s column: Tea\n" in "\n" + text("column: {title: Tea, body: x}\n", "digest")
    assert "\nFrom the quay: Tea\n" in "\n" + text("column: {title: Tea, label: From the quay, body: x}\n")
    assert "\nThe editor’s column\nAnn\n" in "\n" + text("column: {byline: Ann, body: x}\n")


def test_groups_of_further_reading(text: Text) -> None:
    assert text(
        """\
related:
  - {title: One, url: "https://example.com/1", kind: PDF, date: 2026-11-21}
  - {title: Two, date: last year}
  - {title: Group, items: [{title: Three, kind: Audio}]}
"""
        + "body: x\n"
    ).endswith(f"""\
{RULE}

Further reading

* One (PDF, November 21, 2026)
  https://example.com/1
* Two (last year)

Group

* Three (Audio)
""")
    chinese = text(
        "body: x\nrelated: [{title: 甲, items: [{title: 乙, kind: PDF, date: 2026-11-21}]}]\n", language="zh"
    )
    assert chinese.endswith(f"{RULE}\n\n甲\n\n* 乙（PDF，2026年11月21日）\n")


def test_pictures_stand_below_the_headline_or_after_the_text(text: Text) -> None:
    shown = text("""\
items:
  - title: One
    body: Words.
    image:
      - {src: "https://example.com/a.png", alt: A, place: after, credit: Photo by Ann}
      - {src: "https://example.com/b.png", alt: B, place: below, url: "https://example.com/b"}
      - {src: "https://example.com/c.png", alt: C, caption: It is *C*.}
""")
    assert shown.endswith(
        "* One\n\n[B]\nhttps://example.com/b\n\n[C]\nIt is C.\n\nWords.\n\n[A]\nPhoto by Ann\n"
    )


def test_slots_of_new_keys_are_filled(workspace: Path, settings: Settings) -> None:
    slot = '{{ subscriber.name or "you" }}'
    keys = f"""\
kicker: 'For {slot}'
standfirst: 'Of {slot}'
byline: 'By {slot}'
items:
  - title: 'One {slot}'
    links: [{{text: 'Talk to {slot}', url: 'https://example.com/?n={slot}'}}]
  - {{title: Two, sponsored: yes, source: 'Firm of {slot}'}}
  - {{title: Three, event: {{starts: 2026-12-20, venue: 'Hall of {slot}'}}}}
  - {{title: Four, job: {{organisation: 'Port of {slot}'}}}}
  - {{quote: {{text: 'Words of {slot}', by: '{slot} too'}}}}
"""
    path = workspace / "issues/text.yaml"
    path.write_text(f"edition: evening\ndate: 2026-11-21\nlanguage: en\n{keys}", "utf-8")
    rendition = render_variants(load_issue(path, settings), settings, slug="test", variants=(0,))[0]
    filled = rendition.text.fill({**READER, "subscriber.name": "Lin"})
    assert filled.count("Lin") == 12
    assert "you" not in filled.replace("You", "").replace("because you", "")
    assert "\n— Lin too\n" in filled
