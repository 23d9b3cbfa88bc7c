"""Rules for classes and attributes that a page does not have are left out without a difference."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailer.render.html import inline, used_names

CLASSES = ("a", "b", "c-d", "list")
SELECTORS = (
    ".a",
    "p.a",
    ".a .b",
    ".list > .b",
    "[dir] .a",
    "[data-x] p",
    ".c-d + p",
    "p",
    "*",
    ".a:first-child",
    "[class=a]",
    "p[dir]",
)
pages = st.lists(
    st.tuples(st.sampled_from(("p", "div", "td")), st.sets(st.sampled_from(CLASSES)), st.booleans()),
    max_size=5,
)


def page(elements: list[tuple[str, set[str], bool]], rules: list[str]) -> str:
    sheet = "".join(
        f"{selector} {{ color: #00000{number % 10}; }}\n" for number, selector in enumerate(rules)
    )
    body = ""
    for tag, names, has_dir in reversed(elements):
        attributes = f" class='{' '.join(sorted(names))}'" if names else ""
        body = f"<{tag}{attributes}{' dir=ltr' if has_dir else ''}>{body}x</{tag}>"
    return f"<!doctype html><html><head><style>{sheet}</style></head><body>{body}</body></html>"


@given(pages, st.lists(st.sampled_from(SELECTORS), min_size=1, max_size=6))
def test_the_page_is_the_same_with_all_rules(
    elements: list[tuple[str, set[str], bool]], rules: list[str]
) -> None:
    html = page(elements, rules)
    fast = inline.inline_styles(html)
    needs, used_names._needs_of = used_names._needs_of, lambda _selector: frozenset()  # type: ignore[assignment]
    try:
        assert inline.inline_styles(html) == fast
    finally:
        used_names._needs_of = needs
