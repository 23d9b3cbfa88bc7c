"""Finds the pictures of an issue in its tree and its Markdown, and reads their files.

Their sizes and names in a mail are left to `render`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from mailer.errors import Problem
from mailer.issue.files.source_file import SourceFile
from mailer.issue.markdown.document import Document, words_of
from mailer.issue.markdown.findings import line_of
from mailer.issue.pictures import limits
from mailer.issue.pictures.picture_files import read_picture
from mailer.issue.yaml.tree import Key, Mark, Node

__all__ = ["PictureUse", "Pictures", "path_of", "read_pictures", "uses_of"]

_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class PictureUse:
    """Describes a picture where it is used.

    `src` is as written in the file of `mark`, decoded, or an address.
    """

    src: str
    mark: Mark
    alt: str | None = None  # only known here for Markdown; elsewhere the model asks for it

    @property
    def folder(self) -> str:
        """Returns the folder, relative to the workspace, from which `src` counts."""
        return posixpath.dirname(self.mark.path)


@dataclass(frozen=True)
class Pictures:
    """Holds the pictures of an issue: the files, each once, and the file of each written path.

    They are not `complete` where reading ended because there are too many.
    """

    files: tuple[SourceFile, ...]
    names: Mapping[tuple[str, str], str]
    complete: bool = True

    def find(self, folder: str, src: str) -> bytes | None:
        """Returns the bytes of a picture that is written as `src` in a file of `folder`, or None."""
        name = self.names.get((folder, src))
        return next((file.data for file in self.files if file.path == name), None)


def _is_local(src: str) -> bool:
    return not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", src)


def path_of(src: str) -> str:
    """Returns the path of a picture whose address is `src` in Markdown.

    Escapes that make no characters were meant as they stand, as in `100%call.png`.
    """
    return _ESCAPES.sub(_characters, src)


def _characters(escapes: re.Match[str]) -> str:
    try:
        return unquote(escapes[0], errors="strict")
    except UnicodeDecodeError:
        return escapes[0]


def uses_of(tree: Node, documents: Mapping[Key, Document]) -> Iterator[PictureUse]:
    """Returns every picture of an issue in reading order, the `src` of an image before its other fields.

    The digest of an issue depends on this order.
    """
    images: set[Key] = set()
    for key, _, node in tree.texts():
        for image in _images_around(key):
            if image not in images:
                images.add(image)
                source = tree.find(image)[0].child("src")
                if source is not None and isinstance(source.value, str):
                    yield PictureUse(source.value.strip(), source.mark)
        if key in documents:
            yield from _in_text(documents[key], node)


def _images_around(key: Key) -> Iterator[Key]:
    """Returns the keys of the images around a text, from outside to inside."""
    for index, part in enumerate(key[:-1]):
        if part == "image" and isinstance(key[index + 1], str):
            yield key[: index + 1]


def _in_text(document: Document, node: Node) -> Iterator[PictureUse]:
    for token in document.pictures():
        line = node.line_at(line_of(token))
        column = 1 if line > node.mark.line else node.mark.column
        src = path_of(str(token.attrs.get("src", "")))
        yield PictureUse(src, Mark(node.mark.path, line, column), words_of(token.children or ()))


def read_pictures(root: Path, uses: Iterable[PictureUse], problems: list[Problem]) -> Pictures:
    """Returns the bytes of every picture that is a file, each once. Adds what is wrong to `problems`."""
    files: dict[str, SourceFile] = {}
    names: dict[tuple[str, str], str] = {}
    failed: dict[tuple[str, str], str] = {}
    total = 0
    for use in uses:
        if use.alt is not None and not use.alt.strip():
            _complain(
                problems,
                use,
                "this picture has no text for those who cannot see it; write ![what it shows](…)",
            )
        if not _is_local(use.src):
            if use.alt is not None and not use.src.startswith("https://"):
                _complain(
                    problems, use, f'the picture "{use.src[:80]}" must be a file, or begin with https://'
                )
            continue
        written = (use.folder, use.src)
        if written not in names and written not in failed:
            try:
                file = read_picture(root, root / use.folder, use.src)
                names[written] = file.path
                if file.path not in files:
                    files[file.path] = file
                    total += len(file.data)
            except ValueError as error:
                failed[written] = str(error)
        if written in failed:
            _complain(problems, use, f"the picture {failed[written]}")
        if total > limits.MAX_TOTAL or len(files) > limits.MAX_COUNT:
            _complain(
                problems,
                use,
                f"an issue has up to {limits.MAX_COUNT} pictures, {limits.MAX_TOTAL / 1e6:g} MB in all; "
                "leave some out",
            )
            return Pictures(tuple(files.values()), names, complete=False)
    return Pictures(tuple(files.values()), names)


def _complain(problems: list[Problem], use: PictureUse, message: str) -> None:
    problems.append(Problem(message, use.mark.path, use.mark.line, use.mark.column))
