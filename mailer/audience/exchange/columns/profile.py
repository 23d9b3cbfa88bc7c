"""Loads the profiles of tools whose exports can be imported: one TOML file in `profiles/` for each tool.

A profile has a signature (groups of columns, each of which identifies the tool), what each column holds, the
tool's words for a status, and the kinds of the tool's files. A column's rule is one of:

    address, name, first_name, …          a field
    attribute, json, groups, lists        an attribute; attributes as JSON; Google's groups; names of lists
    ignore                                left out
    words | status                        words for a status; with `status`, other words are ignored
    time S | reason S                     any text in the cell means the status S
    yes S | no S [blank S]                a yes (a no, an empty cell) means the status S

The file `plain.toml` has the words that any list may use.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mailer.audience.exchange.columns.cell_words import RANKS, folded_text, normalized_name
from mailer.display_text import nearest_word
from mailer.errors import AudienceError

__all__ = [
    "PLAIN",
    "FileKind",
    "ToolProfile",
    "leaving_words",
    "checked_tool_name",
    "profile_of",
    "status_words",
]

PLAIN = "plain"
_FOLDER = Path(__file__).with_name("profiles")
#: Other names of tools that --as accepts.
_ALIASES = {
    "convertkit": "kit",
    "sendinblue": "brevo",
    "gmail": "google",
    "googlecontacts": "google",
    "outlookcontacts": "outlook",
    "youzan": "chinese",
    "weimob": "chinese",
}


@dataclass(frozen=True, slots=True)
class FileKind:
    """Describes one kind of a tool's files.

    `has` are columns that identify the kind, `file` the beginning of the file's name if the columns do not
    identify it. `says` describes the kind in messages. `everybody` is the status of all people in the file
    ("": the rows say it).
    """

    has: tuple[str, ...]
    says: str
    everybody: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class ToolProfile:
    """Describes the files that one tool exports.

    Names of columns are as `normalized_name` returns them, and words as `folded_text` returns them.
    """

    name: str
    says: str
    source: str
    signature: tuple[frozenset[str], ...]
    rules: Mapping[str, str]
    words: Mapping[str, str]
    kinds: tuple[FileKind, ...]

    def matching_column_count(self, header: frozenset[str]) -> int:
        """Returns how many columns of a header the profile knows, or 0 without the tool's signature."""
        if not any(group <= header for group in self.signature):
            return 0
        return len(header.intersection(self.rules))

    def kind_of_file(self, header: frozenset[str], file_name: str = "") -> FileKind:
        """Returns the kind of a file, which its name or its columns identify."""
        found = (
            kind
            for kind in self.kinds
            if (_has_tool_file_name(file_name, kind.file) if kind.file else header.issuperset(kind.has))
        )
        return next(found, FileKind((), self.says))


@lru_cache(maxsize=1)
def _all_profiles() -> Mapping[str, ToolProfile]:
    return {path.stem: _load_profile(path) for path in sorted(_FOLDER.glob("*.toml"))}


def _load_profile(path: Path) -> ToolProfile:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    kinds = (
        FileKind(
            tuple(map(normalized_name, kind.get("has", ()))),
            kind["says"],
            kind.get("everybody", ""),
            kind.get("file", ""),
        )
        for kind in data.get("kinds", ())
    )
    return ToolProfile(
        path.stem,
        data["says"],
        data["source"],
        tuple(frozenset(map(normalized_name, group)) for group in data["signature"]),
        {normalized_name(name): rule for name, rule in data["columns"].items()},
        {folded_text(word): status for word, status in data.get("status", {}).items()},
        tuple(kinds),
    )


def _has_tool_file_name(path: str, prefix: str) -> bool:
    """Returns whether a file has the name that the tool gives it, such as `unsubscribed_members_….csv`."""
    name = re.split(r"[\\/]|: ", path)[-1].casefold()
    return name.startswith(tuple(f"{prefix}{word}" for word in ("members", "email", "segment", "audience")))


def profile_of(header: Iterable[str], tool: str = "", file_name: str = "") -> ToolProfile:
    """Returns the profile of the tool that wrote a list with this header, by default the plain profile.

    The file's name can identify a tool, too. With `tool`, only that tool's profiles are considered, and the
    header need not have a signature.
    """
    names = frozenset(normalized_name(name) for name in header if name)
    profiles = [profile for name, profile in _all_profiles().items() if name != PLAIN]
    if tool:
        chosen = [profile for profile in profiles if profile.name.partition("_")[0] == tool]
        return max(chosen, key=lambda profile: len(names.intersection(profile.rules)))
    best = max(profiles, key=lambda profile: profile.matching_column_count(names))
    if best.matching_column_count(names):
        return best
    for profile in profiles:
        if any(kind.file and _has_tool_file_name(file_name, kind.file) for kind in profile.kinds):
            return profile
    return _all_profiles()[PLAIN]


def checked_tool_name(name: str) -> str:
    """Returns the tool that a value of --as names. Raises AudienceError if the tool has no profile."""
    word = normalized_name(name)
    known = sorted({profile.partition("_")[0] for profile in _all_profiles()})
    word = _ALIASES.get(word, word)
    if word in known:
        return word
    near = nearest_word(name, known)
    hint = f"did you mean {near}?" if near else f"choose from {', '.join(known)}"
    raise AudienceError(f'there is no profile "{name}"; {hint}')


def plain_profile() -> ToolProfile:
    """Returns the profile for lists that no known tool wrote."""
    return _all_profiles()[PLAIN]


@lru_cache(maxsize=1)
def status_words() -> Mapping[str, str]:
    """Returns the words with which any tool writes a status, each with the status that the word means.

    If tools give a word different statuses, the status that excludes people most firmly is taken.
    """
    words: dict[str, str] = {}
    for profile in _all_profiles().values():
        for word, status in profile.words.items():
            words[word] = max(words.get(word, ""), status, key=RANKS.__getitem__)
    words.update(_all_profiles()[PLAIN].words)
    return words


@lru_cache(maxsize=1)
def leaving_words() -> frozenset[str]:
    """Returns those words of `status_words` that say that a person must get no more mail."""
    return frozenset(
        word for word, status in status_words().items() if RANKS[status] >= RANKS["unsubscribed"]
    )
