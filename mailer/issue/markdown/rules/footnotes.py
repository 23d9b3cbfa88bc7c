"""Reads footnotes, `[^1]`, `[^name]` and `^[written in place]`, and puts them at the end of the text.

mdit-py-plugins parses them. The rule here numbers them in the order in which they are read, reports those
that are not defined or never used, and makes these tokens:

- `footnote_ref` in a paragraph. Its `meta` has the `number` of the footnote.
- `notes_open` … `notes_close` around all footnotes, `note_open` … `note_close` around each, with
  its `number` in `meta`. `footnote_anchor` at the end of a footnote is the link back to the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

from mailer.issue.markdown.findings import Finding
from mailer.issue.markdown.leftovers import FOUND

__all__ = ["NAME", "add_footnote_rules"]

#: The key of the parser's environment with the name of the text, with which the ids of its notes begin.
NAME = "mailer.name"

#: A reference. Labels are as long as those of CommonMark's links.
_REFERENCE = re.compile(r"\[\^[^ \n\]]{1,999}\]")


def add_footnote_rules(parser: MarkdownIt) -> None:
    """Adds to `parser` the rules that read footnotes."""
    footnote_plugin(parser, move_to_end=False, always_match_refs=True)
    parser.inline.ruler.at("footnote_ref", _footnote_reference_rule)
    parser.core.ruler.after("inline", "footnotes", _footnote_rule)
    parser.add_render_rule("footnote_ref", _render_footnote_reference)
    parser.add_render_rule("footnote_anchor", _render_footnote_anchor)


def _footnote_reference_rule(state: StateInline, silent: bool) -> bool:
    """Runs the plugin's rule for a reference to a footnote, unless the text cannot be a reference.

    Returns whether the rule found a reference. The plugin alone would read to the end of the text for each
    `[` that is not closed by `]`.
    """
    found = _REFERENCE.match(state.src, state.pos, state.posMax)
    return found is not None and footnote_ref(state, silent, always_match=True)


@dataclass
class _Footnote:
    """Holds a footnote. `tokens` are its blocks, and `references` is the number of references to it.

    `label` is None for a footnote written in place. `number` is the printed number, or 0 without a reference.
    """

    label: str | None
    tokens: list[Token]
    line: int
    number: int = 0
    references: int = 0


@dataclass
class _FootnoteNumbering:
    """Numbers the footnotes of one text.

    `defined` has the footnotes with a label, by label. `inline` has the footnotes written in place, by the
    numbers that the plugin gave them. `used` has the footnotes with references, in the order of their printed
    numbers. The ids of footnotes in HTML contain `id_prefix`.
    """

    defined: dict[str, _Footnote]
    inline: Mapping[int, Mapping[str, Any]]
    id_prefix: str
    findings: list[Finding]
    used: list[_Footnote] = field(default_factory=list)

    def footnote_of(self, reference: Token, line: int) -> _Footnote | None:
        """Returns the footnote to which a reference on `line` leads, or None if it is not defined."""
        label = reference.meta.get("label")
        if label is not None:
            return self.defined.get(label)
        entry = self.inline[reference.meta["id"]]
        words = Token(
            "inline", "", 0, map=[line, line + 1], children=entry["tokens"], content=entry["content"]
        )
        return _Footnote(None, [_paragraph_token(1), words, _paragraph_token(-1)], line)

    def number_references(self, tokens: Sequence[Token]) -> None:
        """Numbers the references to footnotes in the tokens; a reference without a footnote becomes text."""
        line = 0
        for token in tokens:
            line = token.map[0] if token.map else line
            depth = 0
            for child in token.children or ():
                depth += child.nesting if child.type in ("link_open", "link_close") else 0
                here = line + (child.map[0] if child.map else 0)
                if child.type == "footnote_ref":
                    self._number_reference(child, here, is_in_link=depth > 0)
                elif child.type == "image":
                    self._report_references_in_picture(child.children or (), here)

    def _number_reference(self, reference: Token, line: int, *, is_in_link: bool) -> None:
        note = self.footnote_of(reference, line)
        if note is None:
            label = reference.meta["label"]
            advice = f"write [^{label}]: and its words on a line of its own, or put `[^{label}]` in backticks"
            self._add_warning(f"the footnote [^{label}] is not defined in this text; {advice}", line)
            _restore_written_text(reference)
            return
        if not note.number:
            self.used.append(note)
            note.number = len(self.used)
        note.references += 1
        reference.meta = {
            "number": note.number,
            "note": f"note-{self.id_prefix}{note.number}",
            "id": "" if is_in_link else self._anchor_id(note, note.references),
        }

    def _report_references_in_picture(self, children: Sequence[Token], line: int) -> None:
        for child in children:
            if child.type == "footnote_ref":
                message = (
                    "a footnote cannot be in the alternative text of a picture; move it after the picture"
                )
                self._add_warning(message, line)
                _restore_written_text(child)

    def footnote_tokens(self) -> Iterator[Token]:
        """Yields the tokens of an ordered list of all footnotes that have references."""
        yield Token("notes_open", "ol", 1, attrs={"class": "footnotes"}, block=True)
        for note in self.used:
            attrs: dict[str, str | int | float] = {"id": f"note-{self.id_prefix}{note.number}"}
            yield Token("note_open", "li", 1, attrs=attrs, block=True, meta={"number": note.number})
            yield from self._tokens_with_anchors(note)
            yield Token("note_close", "li", -1, block=True)
        yield Token("notes_close", "ol", -1, block=True)

    def report_unused_footnotes(self) -> None:
        """Reports the footnotes to which no reference leads."""
        for note in self.defined.values():
            if not note.number:
                message = (
                    f"no reference leads to the footnote [^{note.label}], so it is left out; write "
                    f"[^{note.label}] where it belongs"
                )
                self._add_warning(message, note.line)

    def _anchor_id(self, note: _Footnote, reference_number: int) -> str:
        return f"noted-{self.id_prefix}{note.number}" + (
            f"-{reference_number}" if reference_number > 1 else ""
        )

    def _tokens_with_anchors(self, note: _Footnote) -> list[Token]:
        tokens = note.tokens
        if not tokens or tokens[-1].type != "paragraph_close" or tokens[-1].hidden:
            tokens = [*tokens, _paragraph_token(1), Token("inline", "", 0, children=[]), _paragraph_token(-1)]
        words = tokens[-2]
        words.children = [
            *(words.children or ()),
            *(
                Token("footnote_anchor", "", 0, meta={"id": self._anchor_id(note, number)})
                for number in range(1, note.references + 1)
            ),
        ]
        return tokens

    def _add_warning(self, message: str, line: int) -> None:
        self.findings.append(Finding(message, line, "warning"))


def _footnote_rule(state: StateCore) -> None:
    data = state.env.pop("footnotes", None)
    if data is None:
        return
    findings: list[Finding] = state.env.setdefault(FOUND, [])
    text, defined = _separate_footnote_definitions(state.tokens, findings)
    name = str(state.env.get(NAME, ""))
    notes = _FootnoteNumbering(defined, data.get("list", {}), f"{name}-" if name else "", findings)
    notes.number_references(text)
    done = 0
    while done < len(notes.used):  # a note may lead to others
        notes.number_references(notes.used[done].tokens)
        done += 1
    notes.report_unused_footnotes()
    state.tokens = [*text, *(notes.footnote_tokens() if notes.used else ())]


def _separate_footnote_definitions(
    tokens: Sequence[Token], findings: list[Finding]
) -> tuple[list[Token], dict[str, _Footnote]]:
    """Returns the blocks of the text without footnote definitions, and the footnotes by label.

    Adds a warning to `findings` for a label that is defined twice.
    """
    text: list[Token] = []
    defined: dict[str, _Footnote] = {}
    open_notes: list[_Footnote] = []
    for token in tokens:
        if token.type == "footnote_reference_open":
            label = str(token.meta["label"])
            note = _Footnote(label, [], token.map[0] if token.map else 0)
            if label in defined:
                message = f"the footnote [^{label}] is defined twice, and this one is left out; rename it"
                findings.append(Finding(message, note.line, "warning"))
            defined.setdefault(label, note)
            open_notes.append(note)
        elif token.type == "footnote_reference_close":
            open_notes.pop()
        else:
            (open_notes[-1].tokens if open_notes else text).append(token)
    return text, defined


def _paragraph_token(nesting: Any) -> Token:
    return Token("paragraph_open" if nesting > 0 else "paragraph_close", "p", nesting, block=True)


def _restore_written_text(reference: Token) -> None:
    """Turns a reference back into the text that was typed, which is not searched for Markdown again."""
    label = reference.meta.get("label")
    reference.type, reference.content = "text_special", f"[^{label}]" if label is not None else ""
    reference.meta = {}


def _render_footnote_reference(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    meta = tokens[index].meta
    shown = f"[{meta['number']}]"
    if meta["id"]:
        shown = f'<a href="#{meta["note"]}" id="{meta["id"]}">{shown}</a>'
    return f"<sup>{shown}</sup>"


def _render_footnote_anchor(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    return f'\u00a0<a href="#{tokens[index].meta["id"]}">\u21a9\ufe0e</a>'
