from __future__ import annotations

import pytest

from mailer.issue.values.expressions import ExpressionError, replace_slots, slot_text


def shown(paths: tuple[str, ...], default: str) -> str:
    return f"<{'|'.join(paths)}={default}>"


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("no slot", "no slot"),
        ("Dear {{ subscriber.name }}!", "Dear <subscriber.name=>!"),
        ('{{subscriber.name or "reader"}}', "<subscriber.name=reader>"),
        ("{{ subscriber.name or 'the \"reader\"' }}", '<subscriber.name=the "reader">'),
        (
            '{{ subscriber.name or subscriber.attributes.city or "x" }}',
            "<subscriber.name|subscriber.attributes.city=x>",
        ),
        ('{{ subscriber.attributes["first name"] }}', "<subscriber.attributes.first name=>"),
        ("{{ subscriber . attributes . 城市 }}", "<subscriber.attributes.城市=>"),
        ("{{ links.unsubscribe }}{{ links.preferences }}", "<links.unsubscribe=><links.preferences=>"),
        ('{{ "{{" }} and {{ "}}" }}', "{{ and }}"),
        ("{% if x %} {# note #} }} {", "{% if x %} {# note #} }} {"),
    ],
)
def test_names_alternatives_and_defaults_are_understood(text: str, filled: str) -> None:
    assert replace_slots(text, shown) == filled


@pytest.mark.parametrize(
    "text",
    [
        "{{ subscriber.name }}",
        '{{ subscriber.name or subscriber.attributes.城市 or "reader" }}',
        "{{ subscriber.name or 'the \"reader\"' }}",
        '{{ subscriber.attributes["first name"] or links.preferences or "x" }}',
        '{{ subscriber.attributes["a.b"] }}',
        "{{ subscriber.attributes['the \"key\"'] }}",
        '{{ subscriber.attributes["}}"] }}',
    ],
)
def test_a_slot_is_written_as_it_was_read(text: str) -> None:
    assert replace_slots(text, slot_text) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ subscriber.nmae }}", 'subscriber.nmae is not known; did you mean "subscriber.name"?'),
        ("{{ links.unsubscibe }}", 'did you mean "links.unsubscribe"?'),
        ("{{ subscribr.name }}", 'subscribr.name is not known here; did you mean "subscriber"?'),
        ("{{ subscriber }}", "subscriber is not known here; the known names are subscriber.name"),
        ("{{ subscriber.name.upper }}", "subscriber.name.upper is not known; the known names are"),
        ("{{ subscriber.attributes }}", "write an attribute as subscriber.attributes.KEY"),
        ("{{ subscriber.attributes.a.b }}", "write an attribute as"),
        ('{{ subscriber.name | default("x") }}', "filters are not allowed in an issue"),
        ("{{ 7 * 7 }}", "a name or a text in quotes"),
        ("{{ or }}", "a name or a text in quotes"),
        ('{{ "x" or subscriber.name }}', '"or" is not allowed here'),
        ("{{ subscriber.name subscriber.email }}", '"subscriber.email" is not allowed here'),
        ("{{ subscriber.name.__class__() }}", "subscriber.name.__class__ is not known"),
        ("{{", "is not closed"),
        ("{{ subscriber.name", "is not closed"),
        ("{{ }}", "a name or a text in quotes"),
        ('{{ "', "a name or a text in quotes"),
    ],
)
def test_anything_else_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        replace_slots(f"first line\n{text}", shown)
    assert message in str(caught.value)
    assert caught.value.line == 1
