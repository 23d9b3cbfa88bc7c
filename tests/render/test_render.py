from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mailer.config import Settings, load_settings
from mailer.errors import ConfigError, IssueError, MailerError, ThemeError
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import SlotContext

Render = Callable[..., Rendition]
EMAIL, TEXT, WEB = "email/morning.mjml", "text/morning.txt", "web/morning.html"
PAGE = "<mjml><mj-body><mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section></mj-body></mjml>"

READER = {
    "subscriber.name": "Zoë <Q>",
    "links.unsubscribe": "https://news.example.org/u/token",
    "links.preferences": "https://news.example.org/p/token",
}


def png(width: int = 900, height: int = 600) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(out, "PNG")
    return out.getvalue()


def cut_off() -> bytes:
    """A JPEG of which only the beginning is there."""
    out = io.BytesIO()
    Image.effect_noise((300, 300), 90).save(out, "JPEG")
    return out.getvalue()[:2000]


def test_an_issue_becomes_html_text_and_a_web_page(render: Render) -> None:
    rendition = render(
        "title: A *plain* title\nintro: Good **morning**\nitems: [{title: One, body: Two & three}]"
    )
    html, text = rendition.html.fill(READER), rendition.text.fill(READER)
    assert "<h1" in html
    assert "A *plain* title" in html
    assert "Good <strong>morning</strong>" in html
    assert "Two &amp; three" in html
    assert 'href="https://news.example.org/u/token"' in html
    assert html.startswith("<!doctype html>\n<html lang=")
    assert text.endswith("\n\nGood morning\n1. One\nTwo & three\n\nhttps://news.example.org/u/token\n")
    assert "Good <strong>morning</strong>" in rendition.web
    assert rendition.subject.fill({}).startswith("A *plain* title")
    assert (rendition.variant, rendition.language) == (0, "zh")
    assert len(rendition.theme) == 64


def test_a_slot_in_any_text_is_filled_for_each_reader_where_it_stands(render: Render) -> None:
    rendition = render(
        'title: For {{ subscriber.name or "you" }}\n'
        'subject: Hi {{ subscriber.name or "reader" }}\n'
        'intro: \'[**{{ subscriber.name or "a" }}**](https://a.test/?n={{ subscriber.name }}) '
        "[choose]({{ links.preferences }})'\n"
        "items: [{title: 'One {{ subscriber.attributes.city or \"here\" }}'}]"
    )
    html = rendition.html.fill(READER | {"subscriber.attributes.city": 'A "B"'})
    assert "For Zoë &lt;Q&gt;</h1>" in html
    assert "<title>For Zoë &lt;Q&gt;</title>" in html
    assert "<strong>Zoë &lt;Q&gt;</strong>" in html
    assert 'href="https://a.test/?n=Zo%C3%AB%20%3CQ%3E"' in html
    assert 'href="https://news.example.org/p/token"' in html
    assert 'title="One A &quot;B&quot;"' in html
    assert rendition.subject.fill(READER) == "Hi Zoë <Q>"
    assert rendition.subject.fill({}) == "Hi reader"
    assert {slot.context for slot in rendition.text.slots} == {SlotContext.TEXT, SlotContext.URL}
    assert "Zoë <Q> <https://a.test/?n=Zo%C3%AB%20%3CQ%3E> choose" in rendition.text.fill(READER)
    assert "For Zoë <Q>" in rendition.text.fill(READER)


def test_the_web_page_belongs_to_nobody(render: Render) -> None:
    rendition = render(
        "body: x\nintro: 'Dear {{ subscriber.name or \"rea<der\" }}, [leave]({{ links.unsubscribe }}) now'",
        **{
            WEB: "{{ issue.intro }}{% if medium == 'web' %}<a href='{{ links.preferences }}'>x</a>{% endif %}"
        },
    )
    assert rendition.web == "<p>Dear rea&lt;der, leave now</p>x"
    assert "slot" not in rendition.web


def test_rendering_twice_gives_the_same_bytes(render: Render) -> None:
    one, other = (render("intro: 'Hi {{ subscriber.name }}'\nbody: x") for _ in range(2))
    assert one == other
    assert one.to_json() == other.to_json()
    assert Rendition.from_json(one.to_json()) == replace(one, pictures=())
    assert one.digest == other.digest


def test_variants_that_show_the_same_are_rendered_once(
    theme_files: Any, load: Any, settings: Settings
) -> None:
    loaded = load(
        "items:\n- {title: All}\n- {title: English, only: language == 'en'}\n"
        "- {title: Vip, only: '\"vip\" in tags'}"
    )
    renditions = render_variants(loaded, settings, slug="x", variants=[3, 0, 1, 2, 4])
    assert list(renditions) == [0, 1, 2, 3, 4]
    assert renditions[4] is renditions[0]
    assert len({id(rendition) for rendition in renditions.values()}) == 4
    assert [("English" in r.web, "Vip" in r.web) for r in renditions.values()] == [
        (False, False),
        (True, False),
        (False, True),
        (True, True),
        (False, False),
    ]
    assert renditions[3].variant == 3


def test_sections_that_a_variant_leaves_out_do_not_move_the_places_of_errors(
    theme_files: Any, load: Any, settings: Settings
) -> None:
    loaded = load(
        "sections:\n- {title: A, only: language == 'en', items: [{title: B}]}\n"
        "- title: C\n  items:\n  - {title: D, only: language == 'en'}\n"
        "  - title: E\n    body: '![x](a.jpg)'",
        **{"a.jpg": cut_off()},
    )
    with pytest.raises(IssueError, match=r"^issues/test\.yaml:9: the picture a\.jpg"):
        render_variants(loaded, settings, slug="x", variants=[0])


def test_all_that_is_wrong_with_the_texts_is_told_at_once(render: Render) -> None:
    with pytest.raises(IssueError) as caught:
        render(
            "intro: '{{ subscriber.nmae }}'\nbody: |\n  One\n\n  {{ x }}\n"
            "items:\n- title: T\n  body: '[x](page)'"
        )
    assert [re.split("[;,] ", str(problem))[0] for problem in caught.value.problems] == [
        "issues/test.yaml:3: subscriber.nmae is not known",
        "issues/test.yaml:7: x is not known here",
        'issues/test.yaml:10: the link "page" must begin with https://',
    ]


def test_block_tags_of_jinja_are_plain_text_in_an_issue(render: Render) -> None:
    rendition = render("body: x\nintro: '{% if x %} {# y #} {{ \"{{\" }}'")
    assert "{% if x %} {# y #} {{" in rendition.web


def test_pictures_are_published_with_their_size(render: Render) -> None:
    rendition = render(
        "items: [{title: T, image: {src: a.png, alt: 'A \"quay\"', caption: 'At **dawn**', url: 'https://a.test/'}}]\n"
        "body: |\n  ![Two](a.png 'A caption')",
        images={"a.png": png()},
        **{
            EMAIL: PAGE.replace(
                "{}",
                "{% for i in issue.items %}{% set p = i.image | fit(264) %}<a href='{{ p.url }}'>"
                "<img src='{{ p.src }}' width='{{ p.width }}' height='{{ p.height }}' "
                'alt="{{ p.alt }}"/></a>'
                "<p>{{ p.caption }}</p>{% endfor %}{{ issue.body }}",
            )
        },
    )
    html = rendition.html.fill({})
    small, large = sorted(rendition.pictures, key=lambda picture: picture.width)
    base = "https://news.example.org/archive/test/images/"
    assert (small.width, small.height, large.width, large.height) == (264, 176, 600, 400)
    (image,) = re.findall(rf'<img [^>]*src="{base}{small.name}"[^>]*>', html)
    for attribute in ('width="264"', 'height="176"', "alt='A \"quay\"'"):
        assert attribute in image
    assert f'src="{base}{large.name}"' in html
    assert "At <strong>dawn</strong>" in html
    assert Image.open(io.BytesIO(small.data)).size == (528, 352)


def test_the_base_of_pictures_can_be_chosen_and_unused_ones_are_left_out(
    theme_files: Any, load: Any, settings: Settings
) -> None:
    loaded = load(
        "items: [{title: T, image: {src: a.png, alt: x}}]\nbody: '![x](b.png)'",
        **{"a.png": png(), "b.png": png(90, 90)},
    )
    rendition = render_variants(loaded, settings, slug="x", variants=(0,), image_base="images/")[0]
    assert len(rendition.pictures) == 1
    assert f'src="images/{rendition.pictures[0].name}"' in rendition.html.fill({})
    assert f'src="images/{rendition.pictures[0].name}"' in rendition.web


def test_a_picture_of_another_site_has_no_size(render: Render) -> None:
    rendition = render(
        "items: [{title: T, image: {src: 'https://a.test/x.png', alt: x}}]",
        **{
            TEXT: "{% for i in issue.items %}{% set p = i.image | fit(9) %}"
            "{{ p.src }} {{ p.width }}{% endfor %}"
        },
    )
    assert rendition.text.fill({}) == "https://a.test/x.png None\n"
    assert rendition.pictures == ()


def test_a_picture_that_is_cut_off_is_told_at_its_line(render: Render, load: Any) -> None:
    with pytest.raises(IssueError, match=r"^issues/test\.yaml:\d+: the picture .*a\.jpg.*"):
        render("intro: x\nbody: |\n  One\n\n  ![x](a.jpg)", images={"a.jpg": cut_off()})


def test_a_picture_that_has_gone_or_changed_since_loading_is_shown_as_it_was_read(
    theme_files: Any, load: Any, settings: Settings, workspace: Path
) -> None:
    loaded = load("intro: x\nbody: '![x](a.png)'", **{"a.png": png()})
    before = render_variants(loaded, settings, slug="x", variants=(0,))[0]
    (workspace / "issues/a.png").write_bytes(b"no picture")
    assert render_variants(loaded, settings, slug="x", variants=(0,))[0] == before
    (workspace / "issues/a.png").unlink()
    assert render_variants(loaded, settings, slug="x", variants=(0,))[0] == before


def with_logo(workspace: Path, logo: str) -> Settings:
    path = workspace / "mailer.toml"
    path.write_text(path.read_text("utf-8") + f'\n[brand]\nlogo = "{logo}"\nlogo_width = 100\n', "utf-8")
    return load_settings(workspace)


LOGO = (
    "{% if brand.logo %}{{ brand.logo.src }} {{ brand.logo.width }}x{{ brand.logo.height }} "
    "{{ brand.logo.alt }}{% endif %}"
)


@pytest.mark.parametrize(
    ("logo", "text"),
    [
        ("logo.png", "https://news.example.org/archive/x/images/"),
        ("https://a.test/logo.png", "https://a.test/logo.png 100xNone Harbour Brief"),
    ],
)
def test_the_logo_is_a_picture(theme_files: Any, load: Any, workspace: Path, logo: str, text: str) -> None:
    (workspace / "logo.png").write_bytes(png(400, 100))
    theme_files(**{TEXT: LOGO, WEB: LOGO})
    rendition = render_variants(load(), with_logo(workspace, logo), slug="x", variants=(0,))[0]
    assert rendition.text.fill({}).startswith(text)
    if logo == "logo.png":
        assert rendition.text.fill({}).endswith(" 100x25 Harbour Brief\n")
        assert len(rendition.pictures) == 1


@pytest.mark.parametrize("logo", ["none.png", "../x.png", "bad.png", "cut.jpg"])
def test_a_logo_that_cannot_be_used_is_an_error_of_the_configuration(
    theme_files: Any, load: Any, workspace: Path, logo: str
) -> None:
    (workspace / "bad.png").write_bytes(b"x")
    out = io.BytesIO()
    Image.effect_noise((300, 300), 90).save(out, "JPEG")
    (workspace / "cut.jpg").write_bytes(out.getvalue()[:2000])
    theme_files(**{TEXT: LOGO})
    with pytest.raises(ConfigError, match=r"^mailer\.toml: brand\.logo: "):
        render_variants(load(), with_logo(workspace, logo), slug="x", variants=(0,))


def test_the_context_is_as_documented(render: Render) -> None:
    names = (  # noqa: SIM905
        "edition.key edition.name edition.description edition.layout publication.name "
        "publication.sender.address "
        "publication.postal_address publication.base_url brand.accent brand.paper language dir medium "
        "date_long "
        "weekday links.archive issue.date issue.preheader issue.column issue.call_to_action issue.sections "
        "issue.tags issue.related issue.notice"
    ).split()
    page = (
        "".join(f"{{{{ {name} }}}};" for name in names)
        + '{{ issue.date | dateformat("MMM d") }} {{ "https://www.a.test/x" | host }}'
    )
    rendition = render(
        "tags: [a]\nintro: x\nrelated: [{title: R, url: 'https://r.test'}]\nnotice: n\n"
        "call_to_action: {label: L, url: 'https://c.test', text: c}\ncolumn: {title: C, byline: B, body: D}\n"
        "sections: [{title: S, intro: si, items: [{title: T, tags: [t], comment: q, "
        "source: {name: W, url: 'https://w.test'}}]}]",
        **{
            TEXT: page,
            WEB: "{{ issue.column.title }}{{ issue.column.byline }}{{ issue.column.body }}"
            "{{ issue.call_to_action.label }}{{ issue.call_to_action.url }}{{ issue.call_to_action.text }}"
            "{% for s in issue.sections %}"
            "{{ s.number }}"
            "{{ s.anchor }}{{ s.title }}{{ s.intro }}{% for i in s['items'] %}{{ i.number }}{{ i.anchor }}"
            "{{ i.source.name }}"
            "{{ i.source.url }}{{ i.comment }}{{ i.tags[0] }}{% endfor %}{% endfor %}"
            "{{ issue.all_items | length }}"
            "{% for r in issue.related %}{{ r.title }}{{ r.url }}{% endfor %}",
        },
    )
    assert rendition.text.fill({}).startswith(
        "morning;Morning Brief;;morning;Harbour Brief;desk@news.example.org;"
        "Harbour Brief, 12 Quay Street, Port Example;https://news.example.org;#b3261e;#ffffff;zh;ltr;text;"
        "2026年11月21日;星期六;https://news.example.org/archive/test/;2026-11-21;"
    )
    assert rendition.text.fill({}).endswith("11月 21 a.test\n")
    assert rendition.web == (
        "CB<p>D</p>Lhttps://c.test<p>c</p>1section-1S<p>si</p>1item-1Whttps://w.test<p>q</p>t1Rhttps://r.test"
    )


def test_a_language_written_from_the_right_says_so(render: Render) -> None:
    assert (
        render("language: ar\nintro: x\nitems: [{title: T}]", **{TEXT: "{{ dir }}"}).text.fill({}) == "rtl\n"
    )


def test_a_slot_in_a_place_that_is_not_safe_names_the_template(render: Render) -> None:
    with pytest.raises(
        ThemeError, match=r"^templates/email/morning\.mjml:2: .* stands in the attribute style"
    ):
        render(**{EMAIL: PAGE.replace("{}", '\n<p style="color:{{ subscriber.attributes.c }}">x</p>')})


def test_a_slot_cut_up_by_a_filter_is_told(render: Render) -> None:
    with pytest.raises(ThemeError, match="has cut a slot into pieces"):
        render(
            "title: 'Hi {{ subscriber.name }}'\nitems: [{title: T}]",
            **{TEXT: "{{ issue.title | truncate(20, true) }}"},
        )


@pytest.mark.parametrize(
    "template", ["{{ issue.ttle }}", "{% include 'nope' %}", "{{ issue.title | fit(3) }}", "{% if"]
)
@pytest.mark.parametrize("name", [EMAIL, TEXT, WEB])
def test_an_error_in_any_template_is_one_sentence(render: Render, name: str, template: str) -> None:
    with pytest.raises(MailerError) as caught:
        render(**{name: f"\n{template}"})
    assert str(caught.value).startswith(f"templates/{name}:2: ")
    assert "\n" not in str(caught.value)
