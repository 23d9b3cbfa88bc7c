"""Reads footnotes: `[^1]`, `[^name]` and `^[written in place]`, with their notes at the end of the text.

mdit-py-plugins reads them. The rule here numbers them in the order in which they are read, tells what is
not defined or never used, and makes plain tokens of them:

- `footnote_ref` in a paragraph. Its `meta` has the `number` of the note.
- `notes_open` … `notes_close` around all notes, `note_open` … `note_close` around each, with
  its `number` in `meta`; `footnote_anchor` at the end of a note is the way back.
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

__all__ = ["NAME", "install"]

#: The key of the parser's environment with the name of the text, with which the ids of its notes begin.
NAME = "mailer.name"

#: A reference. Labels are as long as those of CommonMark's links.
_REFERENCE = re.compile(r"\[\^[^ \n\]]{1,999}\]")


def install(parser: MarkdownIt) -> None:
    """Adds the rules to a parser."""
    footnote_plugin(parser, move_to_end=False, always_match_refs=True)
    parser.inline.ruler.at("footnote_ref", _reference)
    parser.core.ruler.after("inline", "footnotes", _footnotes)
    parser.add_render_rule("footnote_ref", _render_reference)
    parser.add_render_rule("footnote_anchor", _render_anchor)


def _reference(state: StateInline, silent: bool) -> bool:
    """Runs the plugin's rule for a reference to a note.

    Unlimited, the rule reads to the end of the text for each `[` that no `]` closes.
    """
    found = _REFERENCE.match(state.src, state.pos, state.posMax)
    return found is not None and footnote_ref(state, silent, always_match=True)


@dataclass
class _Note:
    """Holds a note. `tokens` are its blocks; `references` counts the references to it."""

    label: str | None
    tokens: list[Token]
    line: int
    number: int = 0
    references: int = 0


@dataclass
class _Notes:
    """Holds the notes of one text. Inline notes are known by their numbers in the plugin."""

    defined: dict[str, _Note]
    inline: Mapping[int, Mapping[str, Any]]
    name: str
    findings: list[Finding]
    used: list[_Note] = field(default_factory=list)

    def of(self, reference: Token, line: int) -> _Note | None:
        """Returns the note of a reference."""
        label = reference.meta.get("label")
        if label is not None:
            return self.defined.get(label)
        entry = self.inline[reference.meta["id"]]
        words = Token(
            "inline", "", 0, map=[line, line + 1], children=entry["tokens"], content=entry["content"]
        )
        return _Note(None, [_paragraph(1), words, _paragraph(-1)], line)

    def number(self, tokens: Sequence[Token]) -> None:
        """Numbers the references of some blocks, and makes those that lead nowhere text again."""
        line = 0
        for token in tokens:
            line = token.map[0] if token.map else line
            depth = 0
            for child in token.children or ():
                depth += child.nesting if child.type in ("link_open", "link_close") else 0
                here = line + (child.map[0] if child.map else 0)
                if child.type == "footnote_ref":
                    self._number(child, here, in_link=depth > 0)
                elif child.type == "image":
                    self._leave_out(child.children or (), here)

    def _number(self, reference: Token, line: int, *, in_link: bool) -> None:
        note = self.of(reference, line)
        if note is None:
            label = reference.meta["label"]
            advice = f"write [^{label}]: and its words on a line of its own, or put `[^{label}]` in backticks"
            self._tell(f"the footnote [^{label}] is not defined in this text; {advice}", line)
            _as_typed(reference)
            return
        if not note.number:
            self.used.append(note)
            note.number = len(self.used)
        note.references += 1
        reference.meta = {
            "number": note.number,
            "note": f"note-{self.name}{note.number}",
            "id": "" if in_link else self._anchor(note, note.references),
        }

    def _leave_out(self, children: Sequence[Token], line: int) -> None:
        for child in children:
            if child.type == "footnote_ref":
                message = "a footnote cannot stand in the alternative text of a picture; move it behind it"
                self._tell(message, line)
                _as_typed(child)

    def blocks(self) -> Iterator[Token]:
        """Returns the tokens of all notes, as a list."""
        yield Token("notes_open", "ol", 1, attrs={"class": "footnotes"}, block=True)
        for note in self.used:
            attrs: dict[str, str | int | float] = {"id": f"note-{self.name}{note.number}"}
            yield Token("note_open", "li", 1, attrs=attrs, block=True, meta={"number": note.number})
            yield from self._with_anchors(note)
            yield Token("note_close", "li", -1, block=True)
        yield Token("notes_close", "ol", -1, block=True)

    def unused(self) -> None:
        """Reports the notes that no reference names."""
        for note in self.defined.values():
            if not note.number:
                message = (
                    f"nothing leads to the footnote [^{note.label}], and it is left out; write "
                    f"[^{note.label}] where it belongs"
                )
                self._tell(message, note.line)

    def _anchor(self, note: _Note, reference: int) -> str:
        return f"noted-{self.name}{note.number}" + (f"-{reference}" if reference > 1 else "")

    def _with_anchors(self, note: _Note) -> list[Token]:
        tokens = note.tokens
        if not tokens or tokens[-1].type != "paragraph_close" or tokens[-1].hidden:
            tokens = [*tokens, _paragraph(1), Token("inline", "", 0, children=[]), _paragraph(-1)]
        words = tokens[-2]
        words.children = [
            *(words.children or ()),
            *(
                Token("footnote_anchor", "", 0, meta={"id": self._anchor(note, number)})
                for number in range(1, note.references + 1)
            ),
        ]
        return tokens

    def _tell(self, message: str, line: int) -> None:
        self.findings.append(Finding(message, line, "warning"))


def _footnotes(state: StateCore) -> None:
    data = state.env.pop("footnotes", None)
    if data is None:
        return
    findings: list[Finding] = state.env.setdefault(FOUND, [])
    text, defined = _parted(state.tokens, findings)
    name = str(state.env.get(NAME, ""))
    notes = _Notes(defined, data.get("list", {}), f"{name}-" if name else "", findings)
    notes.number(text)
    done = 0
    while done < len(notes.used):  # a note may lead to others
        notes.number(notes.used[done].tokens)
        done += 1
    notes.unused()
    state.tokens = [*text, *(notes.blocks() if notes.used else ())]


def _parted(tokens: Sequence[Token], findings: list[Finding]) -> tuple[list[Token], dict[str, _Note]]:
    """Returns the blocks of the text without note definitions, and the notes defined among them."""
    text: list[Token] = []
    defined: dict[str, _Note] = {}
    open_notes: list[_Note] = []
    for token in tokens:
        if token.type == "footnote_reference_open":
            label = str(token.meta["label"])
            note = _Note(label, [], token.map[0] if token.map else 0)
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


def _paragraph(nesting: Any) -> Token:
    return Token("paragraph_open" if nesting > 0 else "paragraph_close", "p", nesting, block=True)


def _as_typed(reference: Token) -> None:
    """Makes a reference the text that was typed. A text of its own: it is not searched for other marks."""
    label = reference.meta.get("label")
    reference.type, reference.content = "text_special", f"[^{label}]" if label is not None else ""
    reference.meta = {}


def _render_reference(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    meta = tokens[index].meta
    shown = f"[{meta['number']}]"
    if meta["id"]:
        shown = f'<a href="#{meta["note"]}" id="{meta["id"]}">{shown}</a>'
    return f"<sup>{shown}</sup>"


def _render_anchor(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    return f'\u00a0<a href="#{tokens[index].meta["id"]}">\u21a9\ufe0e</a>'
