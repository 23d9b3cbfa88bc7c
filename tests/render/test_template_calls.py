from __future__ import annotations

from collections.abc import Callable

import pytest

from mailer.errors import ThemeError
from mailer.render.slots.slots import Slot, SlotContext

TEXT = "text/morning.txt"


@pytest.mark.parametrize(
    ("template", "slot"),
    [
        ("{{ subscriber.name }}", Slot(("subscriber.name",), "", SlotContext.TEXT)),
        ('{{ subscriber.name or "you" }}', Slot(("subscriber.name",), "you", SlotContext.TEXT)),
        (
            '{{ subscriber.name or subscriber["attributes"]["nick"] or _("reader") }}',
            Slot(("subscriber.name", "subscriber.attributes.nick"), "reader", SlotContext.TEXT),
        ),
        ('{{ subscriber.name or ("a" ~ 1) }}', Slot(("subscriber.name",), "a1", SlotContext.TEXT)),
        ('{{ "x" ~ subscriber.email }}', Slot(("subscriber.email",), "", SlotContext.TEXT)),
        ('{{ subscriber.name if issue.title else "" }}', Slot(("subscriber.name",), "", SlotContext.TEXT)),
        (
            '{{ _("Dear %(who)s", who=subscriber.name or "R") }}',
            Slot(("subscriber.name",), "R", SlotContext.TEXT),
        ),
        (
            '{% trans who=subscriber.name or _("R") %}Dear {{ who }}{% endtrans %}',
            Slot(("subscriber.name",), "R", SlotContext.TEXT),
        ),
        (
            "{% macro show(x) %}<{{ x }}>{% endmacro %}{{ show(links.unsubscribe) }}",
            Slot(("links.unsubscribe",), "", SlotContext.TEXT),
        ),
        (
            "{% from 'text/m.txt' import hello %}{{ hello() }}",
            Slot(("subscriber.name",), "R", SlotContext.TEXT),
        ),
    ],
)
def test_per_recipient_names_become_slots(render: Callable[..., object], template: str, slot: Slot) -> None:
    macros = '{% macro hello() %}{{ subscriber.name or _("R") }}{% endmacro %}'
    rendition = render(**{TEXT: template, "text/m.txt": macros})
    assert rendition.text.slots == (slot,)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "template",
    [
        "{% if subscriber.name %}x{% endif %}",
        "{{ subscriber.name | upper }}",
        "{{ subscriber.name is defined }}",
        "{{ subscriber.name == 'x' }}",
        "{% set name = subscriber.name %}",
        "{% set name = subscriber.name or 'x' %}",
        "{% for c in subscriber.name %}{% endfor %}",
        "{{ issue.title or subscriber.name }}",
        "{{ 'x' if links.unsubscribe else 'y' }}",
        "{{ dict(name=subscriber.name) }}",
        "{{ {'name': subscriber.name} }}",
        "{{ subscriber.name or (subscriber.name | upper) }}",
    ],
)
def test_any_other_use_names_template_line_and_what_is_allowed(
    render: Callable[..., object], template: str
) -> None:
    with pytest.raises(ThemeError, match=r'^templates/text/morning.txt:2: .*can only be printed.*"or"'):
        render(**{TEXT: f"first line\n{template}"})


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ subscriber }}", "subscriber itself cannot be used; the allowed names are subscriber.name"),
        ("{{ subscriber.nmae }}", 'did you mean "subscriber.name"?'),
        ("{{ subscriber.name.upper() }}", "subscriber.name.upper is not known"),
        ("{{ subscriber.attributes }}", "write an attribute as subscriber.attributes.KEY"),
        ("{{ subscriber[issue.title] }}", "subscriber itself cannot be used"),
        ("{% set links = 1 %}", '"links" is a reserved name'),
        ("{% for subscriber in issue.items %}{% endfor %}", '"subscriber" is a reserved name'),
        ("{{ links.unsubscibe }}", 'there is no "unsubscibe" in links'),
        ("{{ links.archive.x }}", 'there is no "x" in'),
    ],
)
def test_wrong_names_are_told(render: Callable[..., object], template: str, message: str) -> None:
    with pytest.raises(ThemeError) as caught:
        render(**{TEXT: template})
    assert message in str(caught.value)
    assert str(caught.value).startswith("templates/text/morning.txt:1: ")


def test_links_of_everybody_may_be_used_freely(render: Callable[..., object]) -> None:
    rendition = render(**{TEXT: "{{ links.archive | upper }}"})
    assert rendition.text.fill({}) == "HTTPS://NEWS.EXAMPLE.ORG/ARCHIVE/TEST/\n"  # type: ignore[attr-defined]
