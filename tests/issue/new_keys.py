# ruff: noqa: E501 (a table reads better than its folded lines)
"""Issues with the new keys of an issue, as hypothesis writes them: right and wrong values mixed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

__all__ = ["issues", "written"]

_LINES = st.sampled_from(
    ["word", "", " ", "港口", "2026", "{{ subscriber.name or 'you' }}", "{{ x }}", "**a**", "a\nb", "Sponsor: a", "x" * 501],
)  # fmt: skip
_TEXTS = st.one_of(
    _LINES, st.sampled_from(["> a\n> — b", "# a\n\n![b](https://e.test/a.png)", "<b>a</b>", "[a]: b"])
)
_URLS = st.sampled_from(
    ["https://e.test/", "mailto:a@e.test", "e.test", "", "javascript:x", "{{ links.preferences }}"]
)
_SWITCHES = st.sampled_from([True, False, "yes", "No", "ON", "maybe", ""])
_MOMENTS = st.sampled_from(
    ["2026-12-20", "2026-12-20T18:00", "2026-12-21 9:00", "2026-12-20T18:00Z", "2026-12-20T18:00+08:00",
     "2026-02-30", "2026-12-20T25:00", "1800-01-01", "tomorrow", ""]
)  # fmt: skip
_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, [], {}, ["a"], {"a": "b"}, 3, [None], [[]], {"include": "a"}]
)
_PLACES = st.sampled_from(["above", "Below", "after", "before", "FOOTER", "top", ""])


def _maybe(kind: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly a value of the kind, sometimes of another."""
    return st.integers(0, 11).flatmap(lambda number: _ODD if number == 0 else kind)


def _mapping(required: dict[str, Any] | None = None, **optional: Any) -> st.SearchStrategy[Any]:
    needed = {key: _maybe(each) for key, each in (required or {}).items()}
    whole = st.fixed_dictionaries(needed, optional={key: _maybe(each) for key, each in optional.items()})
    return st.integers(0, 11).flatmap(
        lambda number: (
            st.dictionaries(st.sampled_from([*(required or {}), *optional, "oops"]), _LINES, max_size=2)
            if number == 0
            else whole
        )
    )


def _list(kind: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(_maybe(kind), max_size=3)


_LINKS = _list(_mapping({"text": _LINES, "url": _URLS}))
_IMAGE = _mapping(
    {"src": st.sampled_from(["https://e.test/a.png", "no.png", "../../x"]), "alt": _LINES},
    caption=_TEXTS, credit=_LINES, url=_URLS, place=_PLACES, width=st.sampled_from([300, "300px", 0, "wide"]),
)  # fmt: skip
_ITEM = _mapping(
    {"title": _LINES},
    byline=_LINES,
    body=_TEXTS,
    quote=st.one_of(_TEXTS, _mapping({"text": _TEXTS}, by=_LINES, url=_URLS)),
    source=st.one_of(_LINES, _mapping({"name": _LINES}, url=_URLS)),
    url=_URLS,
    label=_LINES,
    links=_LINKS,
    image=st.one_of(_IMAGE, _list(_IMAGE)),
    event=_mapping({"starts": _MOMENTS}, ends=_MOMENTS, venue=_LINES, address=_LINES, url=_URLS),
    job=_mapping(organisation=_LINES, place=_LINES, salary=_LINES, url=_URLS),
    sponsored=_SWITCHES,
    lead=_SWITCHES,
)
_STYLES = st.sampled_from(["list", "Stories", "row"])
_SECTION = _mapping(
    {"title": _LINES}, intro=_TEXTS, image=_IMAGE, body=_TEXTS, style=_STYLES, items=_list(_ITEM)
)  # fmt: skip
_ENTRY = _mapping(
    {"title": _LINES}, url=_URLS, kind=_LINES, date=st.sampled_from(["2026-11-21", "2026-02-30", "May"])
)
_RELATED = _mapping({"title": _LINES}, url=_URLS, items=_list(_ENTRY))


#: What is written below the edition and the date.
issues = _mapping(
    number=_LINES,
    kicker=_LINES,
    title=_LINES,
    standfirst=_TEXTS,
    byline=_LINES,
    image=_IMAGE,
    contents=_SWITCHES,
    numbering=st.sampled_from(["through", "By-Section", "none", "roman"]),
    style=_STYLES,
    items=_list(_ITEM),
    sections=_list(_SECTION),
    body=_TEXTS,
    column=_mapping({"body": _TEXTS}, title=_LINES, label=_LINES, byline=_LINES),
    call_to_action=_mapping(text=_TEXTS, label=_LINES, url=_URLS, condition=_TEXTS, links=_LINKS),
    related=_list(_RELATED),
    notices=_list(_mapping({"text": _TEXTS}, place=_PLACES)),
)


def written(keys: dict[str, Any]) -> str:
    """The text of an issue with these keys, one a line; JSON is YAML."""
    lines = (f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in keys.items())
    return "edition: morning\ndate: 2026-11-21\nlanguage: en\n" + "".join(lines)
