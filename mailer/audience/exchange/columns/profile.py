"""Loads the profiles of tools whose exports are read: data files in `profiles/`, one a tool, with a source.

A profile has a signature (groups of columns, each of which shows the tool), what each column holds, the
tool's words for a status, and kinds of its files. A column's rule is one of:

    address, name, first_name, …          a field
    attribute, json, groups, lists        an attribute; attributes as JSON; Google's groups; names of lists
    ignore                                left out
    words | status                        words for a status; with `status`, other words say nothing
    time S | reason S                     anything in it means the status S
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

from mailer.audience.exchange.columns.cell_words import RANKS, column_key, folded
from mailer.display_text import nearest_word
from mailer.errors import AudienceError

__all__ = ["PLAIN", "Kind", "Profile", "leaving_words", "profile_name", "recognised", "status_words"]

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
class Kind:
    """Describes one kind of a tool's files: its columns, and the status of everybody in it ("": rows say).

    `file` is the beginning of such a file's name, where its columns do not identify it.
    """

    has: tuple[str, ...]
    says: str
    everybody: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """Holds what is known of the files of one tool.

    Column names are keys of `column_key`, words are folded.
    """

    name: str
    says: str
    source: str
    signature: tuple[frozenset[str], ...]
    rules: Mapping[str, str]
    words: Mapping[str, str]
    kinds: tuple[Kind, ...]

    def score(self, header: frozenset[str]) -> int:
        """Returns how many columns of the header this profile knows; 0 where its signature is missing."""
        if not any(group <= header for group in self.signature):
            return 0
        return len(header.intersection(self.rules))

    def kind(self, header: frozenset[str], file: str = "") -> Kind:
        """Returns the kind of a file, by its name and its columns."""
        found = (
            kind
            for kind in self.kinds
            if (_begins(file, kind.file) if kind.file else header.issuperset(kind.has))
        )
        return next(found, Kind((), self.says))


@lru_cache(maxsize=1)
def _all() -> Mapping[str, Profile]:
    return {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.toml"))}


def _read(path: Path) -> Profile:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    kinds = (
        Kind(
            tuple(map(column_key, kind.get("has", ()))),
            kind["says"],
            kind.get("everybody", ""),
            kind.get("file", ""),
        )
        for kind in data.get("kinds", ())
    )
    return Profile(
        path.stem,
        data["says"],
        data["source"],
        tuple(frozenset(map(column_key, group)) for group in data["signature"]),
        {column_key(name): rule for name, rule in data["columns"].items()},
        {folded(word): status for word, status in data.get("status", {}).items()},
        tuple(kinds),
    )


def _begins(path: str, start: str) -> bool:
    """Returns whether a file has the tool's name for it, such as `unsubscribed_members_export_….csv`."""
    name = re.split(r"[\\/]|: ", path)[-1].casefold()
    return name.startswith(tuple(f"{start}{word}" for word in ("members", "email", "segment", "audience")))


def recognised(header: Iterable[str], among: str = "", file: str = "") -> Profile:
    """Returns the profile with these columns; the plain one where no tool's signature is found.

    The name of the file can identify a tool, too. `among` limits the choice to profiles whose name begins
    with it, and then the signature is not needed.
    """
    names = frozenset(column_key(name) for name in header if name)
    profiles = [profile for name, profile in _all().items() if name != PLAIN]
    if among:
        chosen = [profile for profile in profiles if profile.name.partition("_")[0] == among]
        return max(chosen, key=lambda profile: len(names.intersection(profile.rules)))
    best = max(profiles, key=lambda profile: profile.score(names))
    if best.score(names):
        return best
    for profile in profiles:
        if any(kind.file and _begins(file, kind.file) for kind in profile.kinds):
            return profile
    return _all()[PLAIN]


def profile_name(name: str) -> str:
    """Returns the name of a tool for `recognised`, from the value of --as. Raises AudienceError."""
    word = column_key(name)
    known = sorted({profile.partition("_")[0] for profile in _all()})
    word = _ALIASES.get(word, word)
    if word in known:
        return word
    near = nearest_word(name, known)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
    raise AudienceError(f'there is no profile "{name}"; {hint}')


def plain() -> Profile:
    """Returns the profile for lists of no tool."""
    return _all()[PLAIN]


@lru_cache(maxsize=1)
def status_words() -> Mapping[str, str]:
    """Returns the words of all tools, each with the status that excludes somebody most firmly."""
    words: dict[str, str] = {}
    for profile in _all().values():
        for word, status in profile.words.items():
            words[word] = max(words.get(word, ""), status, key=RANKS.__getitem__)
    words.update(_all()[PLAIN].words)
    return words


@lru_cache(maxsize=1)
def leaving_words() -> frozenset[str]:
    """Returns those of the words that mean that somebody is not to be written to any more."""
    return frozenset(
        word for word, status in status_words().items() if RANKS[status] >= RANKS["unsubscribed"]
    )
