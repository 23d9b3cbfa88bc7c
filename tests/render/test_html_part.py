from __future__ import annotations

import pytest

from mailer.errors import ThemeError
from mailer.render.slots.html_part import html_part, html_without_slots
from mailer.render.slots.markers import Markers
from mailer.render.slots.slots import SlotContext

PLACE = ("templates/email/x.mjml", 7)


@pytest.fixture
def markers() -> Markers:
    return Markers("seed")


@pytest.mark.parametrize(
    ("html", "context"),
    [
        ("<p>Dear NAME,</p>", SlotContext.HTML),
        ("<title>For NAME</title>", SlotContext.HTML),
        ('<p title="Dear NAME">x</p>', SlotContext.ATTRIBUTE),
        ("<img alt='NAME'/>", SlotContext.ATTRIBUTE),
        ('<a href="NAME">x</a>', SlotContext.HREF),
        ('<img src=" NAME/x">', SlotContext.HREF),
        ('<a href="https://a.test/?n=NAME&amp;m=1">x</a>', SlotContext.URL),
        ('<a HREF="mailto:NAME">x</a>', SlotContext.URL),
        ("<!-- <a> --><b>NAME</b>", SlotContext.HTML),
        ("<style>a > b {}</style><b>NAME</b>", SlotContext.HTML),
    ],
)
def test_a_slot_knows_where_it_stands(markers: Markers, html: str, context: SlotContext) -> None:
    name = markers.make_marker(("subscriber.name",), "", PLACE)
    part = html_part(html.replace("NAME", name), markers)
    assert [slot.context for slot in part.slots] == [context]
    assert html.replace("NAME", "|") == "|".join(part.fragments)


@pytest.mark.parametrize(
    ("html", "where"),
    [
        ("<!-- NAME -->", "a comment"),
        ("<!--[if mso]>NAME<![endif]-->", "a comment"),
        ("<![CDATA[NAME]]>", "a comment"),
        ("<!doctype NAME>", "a declaration"),
        ("<?xml NAME?>", "a processing instruction"),
        ("<style>p { color: NAME }</style>", "a <style>"),
        ("<script>NAME</script>", "a <script>"),
        ('<p style="color:NAME">', "the attribute style"),
        ('<p onclick="NAME">', "the attribute onclick"),
        ('<img srcset="NAME 2x">', "the attribute srcset"),
        ("<p title=NAME>", "the attribute title without quotes"),
        ("<p NAME>", "a tag"),
        ('<p NAME="x">', "a tag"),
        ('<a href="java NAME:x">', "behind a text that does not begin a URL"),
        ('<a href="/NAME">', "behind a text that does not begin a URL"),
    ],
)
def test_a_slot_where_nothing_is_safe_is_an_error_where_it_was_written(
    markers: Markers, html: str, where: str
) -> None:
    name = markers.make_marker(("subscriber.name",), "", PLACE)
    with pytest.raises(ThemeError) as caught:
        html_part(html.replace("NAME", name), markers)
    assert str(caught.value).startswith("templates/email/x.mjml:7: {{ subscriber.name }} stands in ")
    assert where in str(caught.value)


def test_broken_html_around_a_slot_is_an_error(markers: Markers) -> None:
    name = markers.make_marker(("subscriber.name",), "", PLACE)
    with pytest.raises(ThemeError, match=r"x\.mjml:7: a slot stands where the HTML is broken"):
        html_part(f'<p title="{name}', markers)


def test_a_slot_cut_by_a_filter_is_an_error(markers: Markers) -> None:
    name = markers.make_marker(("subscriber.name",), "", PLACE)
    with pytest.raises(ThemeError, match="has cut a slot into pieces"):
        html_part(f"<p>{name[:20]}…</p>", markers)


def test_markers_of_another_rendering_are_plain_text(markers: Markers) -> None:
    foreign = Markers("another").make_marker(("subscriber.name",), "", PLACE)
    markers.make_marker(("subscriber.name",), "", PLACE)
    assert html_part(f"<p>{foreign}</p>", markers).fragments == (f"<p>{foreign}</p>",)


def test_a_marker_with_a_number_that_was_never_given_is_left_alone(markers: Markers) -> None:
    forged = markers.make_marker(("subscriber.name",), "", PLACE).replace("x0z", "x9z")
    assert html_part(f"<p>{forged}</p>", markers).slots == ()


def test_a_marker_in_capitals_is_the_same_slot(markers: Markers) -> None:
    name = markers.make_marker(("subscriber.name",), "", PLACE)
    assert len(html_part(f"<p>{name.upper()}</p>", markers).slots) == 1


def test_the_page_for_everybody_has_defaults_and_no_personal_links(markers: Markers) -> None:
    name = markers.make_marker(("subscriber.name",), "a <reader>", PLACE)
    leave = markers.make_marker(("links.unsubscribe",), "", PLACE)
    stay = '<a href="https://a.test">stay</a>'
    html = f'<p>Dear {name}, {stay} or <a class="x" href="{leave}"><b>leave</b></a>.</p>'
    assert html_without_slots(html, markers) == f"<p>Dear a &lt;reader&gt;, {stay} or <b>leave</b>.</p>"
    assert html_without_slots("</a><p>no slot</p>", markers) == "</a><p>no slot</p>"
