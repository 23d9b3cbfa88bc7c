"""Attributes out of a JSON object in one cell."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.audience.exchange.rows.json_attributes import MAX_ATTRIBUTES, attributes_of_json
from mailer.audience.values.cells import MAX_VALUE, attribute_key
from mailer.errors import AudienceError
from tests.sentences import check_sentence


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("", {}),
        ("  ", {}),
        ("{}", {}),
        ("NULL", {}),
        ("\\N", {}),
        (
            '{"city": "Bengaluru", "good": true, "type": "known"}',
            {"city": "Bengaluru", "good": "true", "type": "known"},
        ),
        ('{"paid": false}', {"paid": "false"}),
        (
            '{"n": 5, "price": 1.50, "big": 12345678901234567890, "e": 1e999}',
            {"n": "5", "price": "1.50", "big": "12345678901234567890", "e": "1e999"},
        ),
        ('{"none": null, "empty": "", "list": [], "object": {}, "blank": " "}', {}),
        ('{"home": {"city": "Port", "zip": "20457"}}', {"home_city": "Port", "home_zip": "20457"}),
        ('{"a": {"b": {"c": {"d": 1}}}}', {"a_b_c_d": "1"}),
        ('{"langs": ["en", "zh"], "n": [1, 2.0, true, null]}', {"langs": "en;zh", "n": "1;2.0;true"}),
        ('{"jobs": [{"at": "Acme", "years": 3}]}', {"jobs": '[{"at": "Acme", "years": 3}]'}),
        ('{"Company Name": "Acme", "公司": "好"}', {"company_name": "Acme", "公司": "好"}),
        ('{"caf\\u0065\\u0301": "Zoe\\u0301"}', {"café": "Zoé"}),
        (' {"a": "b"}\n', {"a": "b"}),
        ('{"a": "NULL", "b": "\\\\N", "c": "\\u202ex"}', {"c": "x"}),
    ],
)
def test_an_object_gives_attributes_as_a_list_has_them(text: str, attributes: dict[str, str]) -> None:
    assert attributes_of_json(text) == attributes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("city", "the attributes are not a JSON object"),
        ("[]", "the attributes are not a JSON object"),
        ('"a"', "the attributes are not a JSON object"),
        ("5", "the attributes are not a JSON object"),
        ("null", "the attributes are not a JSON object"),
        ("{", "the attributes are not a JSON object"),
        ("{'a': 'b'}", "the attributes are not a JSON object"),
        ('{"a": NaN}', "the attributes are not a JSON object"),
        ('{"a": 1} {"b": 2}', "the attributes are not a JSON object"),
        ("[" * 30_000, "the attributes are not a JSON object"),
        ('{"a":' * 30_000, "the attributes are longer than"),
        ('{"a":' * 10_000, "the attributes are not a JSON object"),
        ('{"a":' * 6 + "1" + "}" * 6, "more than 5 levels deep; use fewer levels"),
        ('{"a":' + "[" * 8 + "1" + "]" * 8 + "}", "more than 5 levels deep"),
        ('{"a":' + "[" * 900 + "1" + "]" * 900 + "}", "more than 5 levels deep"),
        ('{"a": 1, "a": 2}', "the attribute a is given twice; rename one of the two"),
        ('{"City": 1, "city": 2}', "the attribute city is given twice"),
        ('{"a": {"b": 1}, "a_b": 2}', "the attribute a_b is given twice"),
        ('{"": 1}', "cannot be the name of an attribute"),
        ('{"???": 1}', "cannot be the name of an attribute"),
        ('{"a": "\\u0000"}', "a holds a control character; remove it"),
        ('{"a": "\\ud800"}', "a holds a control character; remove it"),
        (json.dumps({"a": "x" * (MAX_VALUE + 1)}), "a is longer than 2,000 characters; shorten it"),
        (json.dumps({"k" * 101: "x"}), "has a name of more than 100 characters"),
        (json.dumps({f"k{n}": "x" for n in range(MAX_ATTRIBUTES + 1)}), "there are more than 200 attributes"),
        (json.dumps({"a": "x" * 70_000}), "the attributes are longer than 65,536 characters"),
    ],
)
def test_what_cannot_be_kept_is_told_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(AudienceError) as caught:
        attributes_of_json(text)
    assert sentence in str(caught.value)
    assert str(caught.value).isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(st.text(max_size=5), JSON, max_size=4).map(json.dumps) | JSON.map(json.dumps) | st.text()
)
def test_whatever_a_cell_holds_attributes_are_texts_with_names_that_are_kept(text: str) -> None:
    try:
        attributes = attributes_of_json(text)
    except AudienceError as error:
        check_sentence(error)
        return
    for name, value in attributes.items():
        assert name == attribute_key(name)
        assert isinstance(value, str)
        assert 0 < len(value) <= MAX_VALUE


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.text(alphabet="xyz é中1", min_size=1).map(str.strip).filter(bool)
    )
)
def test_texts_are_kept_as_they_are(attributes: dict[str, str]) -> None:
    assert attributes_of_json(json.dumps(attributes)) == attributes
