"""Bare addresses in a text become links, whole, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.issue.markdown.document import Document, parse_markdown, words_of
from mailer.issue.markdown.findings import line_of_token
from tests.issue.conftest import NAME, Load, Wrong

NO_LINKS = """
README.md main.rs example.org script.sh node.js U.S.A. z.B. v1.2.md setup.py index.html go.mod Makefile.am
a.out libfoo.so config.ts 1.2.3 10.0.0.1 e.g. i.e. ASP.NET socket.io example.org/a icon@2x.png @name name@
a@b a@localhost user@host:dir git@github.example:a/b.git pkg@1.2.3 www. www.foo wwww.example.org
x.www.example.org //www.example.org /www.example.org https:// http://… https://*** https://localhost http://a/b
xhttps://example.org git+https://example.org ftp://example.org file:///a data:text/html,x javascript:alert(1)
hxxps://example.org
"""
WORDS = "README.md main.rs example.org 港口 の 에서 3.5 a/b x:y C++ #5 & … ， 。 ( ) “ ” e.g. ww. http : / @"


def links(document: Document) -> list[tuple[str, str]]:
    """The words and the address of each link."""
    found = []
    tokens = list(document.inline_tokens())
    for index, token in enumerate(tokens):
        if token.type == "link_open":
            end = next(i for i in range(index, len(tokens)) if tokens[i].type == "link_close")
            found.append((words_of(tokens[index:end]), str(token.attrs["href"])))
    return found


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("See https://example.org/a_b_c?x=1&y=2, then", "https://example.org/a_b_c?x=1&y=2"),
        ("See https://example.org.", "https://example.org"),
        ("(https://example.org/a)", "https://example.org/a"),
        ("(see https://example.org/a)b", "https://example.org/a"),
        ("https://example.org/Ao_(color).", "https://example.org/Ao_(color)"),
        ("https://example.org/?a[]=1&b={x}!", "https://example.org/?a[]=1&b={x}"),
        ("'https://example.org/a' and", "https://example.org/a"),
        ('"https://example.org/a"', "https://example.org/a"),
        ("**https://example.org/a**", "https://example.org/a"),
        ("**https://example.org/**和", "https://example.org/"),
        ("*see https://example.org/_a_*", "https://example.org/_a"),
        ("~~https://example.org/a~~", "https://example.org/a"),
        ("https://example.org/_a_/b_c", "https://example.org/_a_/b_c"),
        ("| a |\n|---|\n| https://example.org/a |", "https://example.org/a"),
        ("- https://example.org/a\n- b", "https://example.org/a"),
        ("https://example.org/a...", "https://example.org/a"),
        ("https://example.org/it's", "https://example.org/it's"),
        ("https://example.org/?a=1&amp;b=2", "https://example.org/?a=1&b=2"),
        (r"https://example.org/a\_b", "https://example.org/a_b"),
        ("https://example.org:8080/a", "https://example.org:8080/a"),
        ("https://example.org/x[1]", "https://example.org/x[1]"),
        ("https://example.org/a\nb", "https://example.org/a"),
        ("https://example.org/a<br>b", "https://example.org/a"),
        ("见https://example.org/a，然后", "https://example.org/a"),
        ("见https://example.org。然后", "https://example.org"),
        ("（https://example.org/a）", "https://example.org/a"),
        ("《https://example.org/a》", "https://example.org/a"),
        ("【https://example.org/a】", "https://example.org/a"),
        ("“https://example.org/a”吧", "https://example.org/a"),
        ("‘https://example.org/a’吧", "https://example.org/a"),
        ("「https://example.org/a」", "https://example.org/a"),
        ("https://example.org/a；b", "https://example.org/a"),
        ("https://example.org/a：b", "https://example.org/a"),
        ("https://example.org/a！b", "https://example.org/a"),
        ("https://example.org/a？b", "https://example.org/a"),
        ("https://example.org/a、b", "https://example.org/a"),
        ("https://example.org/a…", "https://example.org/a"),
        ("https://example.org/a——b", "https://example.org/a"),
        ("https://example.org/a　b", "https://example.org/a"),
        ("https://example.org/a\u00a0!", "https://example.org/a"),
        ("https://example.org/a\u200b b", "https://example.org/a"),
        ("见https://example.org看这里", "https://example.org"),
        ("https://example.org에서", "https://example.org"),
        ("https://example.orgを見る", "https://example.org"),
        ("https://zh.example.org/wiki/港口", "https://zh.example.org/wiki/港口"),
        ("https://zh.example.org/wiki/乔治·华盛顿。", "https://zh.example.org/wiki/乔治·华盛顿"),
        ("https://例え.jp/道", "https://例え.jp/道"),
        ("https://例え.jpを見る", "https://例え.jp"),
        ("https://hi.example.org/wiki/हिन्दी।", "https://hi.example.org/wiki/हिन्दी"),
        ("https://example.org/кафе, и", "https://example.org/кафе"),
        ("见www.example.org/a，好", "www.example.org/a"),
        ("www.example.org", "www.example.org"),
        ("WWW.Example.org/_a_", "WWW.Example.org/_a"),
        ("www.例え.jp/道", "www.例え.jp/道"),
        ("写信给desk@example.org吧", "desk@example.org"),
        ("Write to first.last+news@example.org.", "first.last+news@example.org"),
        ("<b></b>desk@example.org", "desk@example.org"),
        ("Mail:desk@news.example.org,", "desk@news.example.org"),
        ("mailto:desk@example.org", "mailto:desk@example.org"),
        ("HTTP://EXAMPLE.ORG/A", "HTTP://EXAMPLE.ORG/A"),
    ],
)  # fmt: skip
def test_a_bare_address_is_a_link_with_the_words_as_typed(text: str, typed: str) -> None:
    document = parse_markdown(text)
    ((words, href),) = links(document)
    assert words == typed
    assert href.isascii()
    assert href.startswith(("https://", "http://", "mailto:"))
    if typed.isascii() and "@" not in typed and not set("[]{}") & set(typed):
        scheme = "https://" if typed.lower().startswith("www.") else ""
        assert href.lower() == (scheme + typed).lower()
    assert not [each for each in document.findings if each.severity == "error"]


@pytest.mark.parametrize(
    "text",
    [
        *NO_LINKS.split(),
        "https\\://example.org",
        "`https://example.org` ``desk@example.org``",
        "    https://example.org",
        "```\nhttps://example.org\n```",
        "[a]: https://example.org",
        "Preis: 3.50 EUR, z. B. um 8.30 Uhr. U.S.A",
        "é.desk@example.org".replace("é.", "é"),
    ],
)  # fmt: skip
def test_file_names_and_bare_domains_are_no_links(text: str) -> None:
    document = parse_markdown(f"{text}\n")
    assert links(document) == []
    assert not document.findings


@given(
    st.lists(
        st.sampled_from([*WORDS.split(), "ไทย", "&amp;", "1.", "-", "+", "?"]),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["", " "]),
)
def test_words_and_marks_never_become_a_link(pieces: list[str], between: str) -> None:
    text = between.join(pieces)
    if "//" not in text and "@" not in text and "www." not in text:
        assert links(parse_markdown("x " + text)) == []


def test_links_keep_their_own_address_and_pictures_their_words() -> None:
    document = parse_markdown(
        "[https://example.org/*a*b*](https://example.org/b) [desk@example.org](https://example.org/c) "
        "![see https://example.org/d](a.png) <https://example.org/道> <desk@example.org>"
    )
    assert links(document) == [
        ("https://example.org/*a*b*", "https://example.org/b"),
        ("desk@example.org", "https://example.org/c"),
        ("https://example.org/道", "https://example.org/%E9%81%93"),
        ("desk@example.org", "mailto:desk@example.org"),
    ]
    (picture,) = document.picture_tokens()
    assert words_of(picture.children or ()) == "see https://example.org/d"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "https://zh.example.org/wiki/C语言",
            'https://zh.example.org/wiki/C ends before "语言"; write a space',
        ),
        ("https://example.org/看这里", '"看这里" is read as a part of the link'),
    ],
)
def test_letters_that_may_belong_to_an_address_are_told(text: str, message: str) -> None:
    (finding,) = parse_markdown(text).findings
    assert message in finding.message
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    "text",
    [
        "[x](javascript:alert(1))",
        "[x](JAVASCRIPT:alert(1))",
        "<javascript:alert(1)>",
        "[x](data:text/html,x)",
        "[x](file:///etc/hosts)",
        "[x](vbscript:a)",
        "[x][y]\n\n[y]: javascript:alert(1)",
        "[x](page.html)",
        "[x]()",
        "[x](https://example.org:99999/)",
        "[x](https://exa..mple.org/)",
        "[x](<https://example.org/a b>)",
        "https://example.org:99999/",
        "https://exa..mple.org/",
        "https://exa\u200bmple.org/",
        "https://user@example.org/",
        f"https://{'a' * 64}.org/",
        "https://https://example.org/",
        "htps://example.org/",
        "http//example.org/",
        "https:/example.org/",
        "https:///example.org/",
        "https：//example.org/",
        "https:\\\\example.org",
        "https:// example.org",
        "<std::string>",
    ],
)
def test_a_link_that_leads_nowhere_is_an_error_at_its_line(text: str) -> None:
    found = [each for each in parse_markdown(f"One\n\nTwo\n{text}").findings if each.severity == "error"]
    assert len(found) == 1
    assert found[0].line == 3
    assert ";" in found[0].message or "must begin with" in found[0].message


def test_addresses_with_slots_are_whole(load: Load, wrong: Wrong, head: str) -> None:
    loaded = load(
        f"{head}body: 'See https://example.org/?c={{{{ subscriber.attributes.city or \"none\" }}}}，好'\n"
    )
    document = loaded.documents[("body",)]
    ((words, href),) = links(document)
    assert words == href
    shown = loaded.placeholders.replace_placeholders(href, lambda paths, default: f"<{paths[0]}|{default}>")
    assert shown == "https://example.org/?c=<subscriber.attributes.city|none>"
    (line,) = wrong(f"{head}body: |\n  One\n\n  https://{{{{ subscriber.name or 'a' }}}}.example.org/\n")
    assert line.startswith(f"{NAME}:7: the link ")
    assert "has a slot in its host" in line


def test_a_slot_with_a_mail_address_is_no_link(load: Load, head: str) -> None:
    loaded = load(f"{head}body: 'Yours is {{{{ subscriber.email or \"none\" }}}}@example.org'\n")
    assert links(loaded.documents[("body",)]) == []


def test_lines_of_links_are_known() -> None:
    document = parse_markdown("One\ntwo https://example.org/a\n\nthree desk@example.org")
    assert [line_of_token(token) for token in document.inline_tokens() if token.type == "link_open"] == [1, 3]
