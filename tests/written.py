"""What an editor wrote into an issue: each text, picture and address with its key, read from the YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from markdown_it.token import Token

from mailer.issue.markdown.document import parse_markdown
from tests.typed import tokens

__all__ = ["Written", "contains", "written_in"]

#: Keys whose values say how something is shown, and are no words for readers.
_SETTINGS = frozenset(
    "edition language style numbering contents lead sponsored only src width subject preheader".split()  # noqa: SIM905
)
#: Keys whose values are Markdown wherever they stand.
_MARKDOWN = frozenset("intro body standfirst comment caption condition notice quote".split())  # noqa: SIM905
_SLOT = re.compile(r"\{\{[^{}\n]*\}\}")
#: Stands for a slot while a text is parsed.
_GAP = "Zslotz"


@dataclass(frozen=True)
class Written:
    """A piece of an issue: words in a row, the alternative text of a picture, an address, or an event's day.

    `key` is where it stands, such as `sections.1.items.0.title`. Words of a `cell` are in a table.
    """

    key: str
    kind: Literal["words", "alt", "url", "day"]
    value: str
    cell: bool = False

    @property
    def tokens(self) -> list[str]:
        """The words."""
        return tokens(self.value)


def contains(page: list[str], words: list[str]) -> bool:
    """Returns whether these words stand in this order, one after the other, on a page."""
    starts = (number for number, word in enumerate(page) if word == words[0])
    return any(page[start : start + len(words)] == words for start in starts)


def written_in(path: Path) -> list[Written]:
    """Returns all that was written into the issue at `path`, in order."""
    tree = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    return [each for each in _walk(tree, ()) if each.kind != "words" or each.tokens]


def _walk(value: Any, key: tuple[str, ...]) -> Iterator[Written]:
    if isinstance(value, dict):
        for name, child in value.items():
            if name not in _SETTINGS and (name != "date" or key):
                yield from _walk(child, (*key, name))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _walk(child, (*key, str(number)))
    else:
        yield from _leaf(str(value), key)


def _leaf(value: str, key: tuple[str, ...]) -> Iterator[Written]:
    name, parents = key[-1], key[:-1]
    where = ".".join(key)
    if name == "url":
        yield Written(where, "url", value)
    elif name in ("starts", "ends"):
        yield Written(where, "day", value)
    elif name == "alt":
        yield Written(where, "alt", value)
    elif name == "place" and "job" not in parents:
        return
    elif name in _MARKDOWN or (name == "text" and "links" not in parents):
        yield from _markdown(value, where)
    else:
        yield Written(where, "words", value)


def _markdown(text: str, where: str) -> Iterator[Written]:
    cell = False
    for token in parse_markdown(_SLOT.sub(_GAP, text)).tokens:
        cell = cell or token.type in ("td_open", "th_open")
        if token.type in ("fence", "code_block"):
            yield Written(where, "words", token.content)
        yield from _inline(token.children or (), where, cell)
        cell = cell and token.type not in ("td_close", "th_close")


def _inline(children: Any, where: str, cell: bool) -> Iterator[Written]:
    run = ""
    child: Token
    for child in children:
        if child.type in ("text", "code_inline"):
            run += child.content
        elif child.type in ("softbreak", "hardbreak"):
            run += " "
        elif child.type == "link_open":
            yield Written(where, "url", str(child.attrs["href"]))
        elif child.type == "image":
            yield Written(where, "alt", child.content)
            yield Written(where, "words", str(child.attrs.get("title", "")))
        if child.type in ("image", "footnote_ref"):
            run += _GAP
    for each in run.split(_GAP):
        yield Written(where, "words", each, cell)
