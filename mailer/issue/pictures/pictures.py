"""Finds the pictures in the fields and Markdown texts of an issue, and reads their files.

`render` decides the sizes and names of the pictures in a mail.
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
from mailer.issue.markdown.findings import line_of_token
from mailer.issue.pictures import limits
from mailer.issue.pictures.picture_files import read_picture
from mailer.issue.yaml.tree import Key, Node, SourcePosition

__all__ = ["PictureUse", "IssuePictures", "unescaped_path", "read_pictures", "picture_uses"]

_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@dataclass(frozen=True, slots=True)
class PictureUse:
    """Describes one place in an issue where a picture is used.

    `src` is the unescaped path as written in the file of `position`, or a URL. `alternative_text` is None for
    a picture outside of Markdown: the model checks the text of that picture.
    """

    src: str
    position: SourcePosition
    alternative_text: str | None = None  # only known here for Markdown; elsewhere the model asks for it

    @property
    def folder(self) -> str:
        """Returns the folder, relative to the workspace, to which a path in `src` is relative."""
        return posixpath.dirname(self.position.path)


@dataclass(frozen=True)
class IssuePictures:
    """Holds the picture files of an issue, each once.

    `paths_by_source` has the path of the file for each (folder, src) as written. `is_complete` is False if
    reading was stopped because the pictures are too many or too large.
    """

    files: tuple[SourceFile, ...]
    paths_by_source: Mapping[tuple[str, str], str]
    is_complete: bool = True

    def find_bytes(self, folder: str, src: str) -> bytes | None:
        """Returns the bytes of the picture that a file in `folder` names as `src`, or None if not loaded."""
        name = self.paths_by_source.get((folder, src))
        return next((file.data for file in self.files if file.path == name), None)


def _is_local_path(src: str) -> bool:
    return not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", src)


def unescaped_path(src: str) -> str:
    """Returns the path of a picture whose URL in Markdown is `src`, with percent escapes decoded.

    Escapes that are not valid UTF-8 were meant literally, as in `100%call.png`, and stay.
    """
    return _ESCAPES.sub(_unescaped_characters, src)


def _unescaped_characters(escapes: re.Match[str]) -> str:
    try:
        return unquote(escapes[0], errors="strict")
    except UnicodeDecodeError:
        return escapes[0]


def picture_uses(tree: Node, documents: Mapping[Key, Document]) -> Iterator[PictureUse]:
    """Yields each use of a picture in reading order, the `src` of an image before its other fields.

    The digest of an issue depends on this order.
    """
    images: set[Key] = set()
    for key, _, node in tree.walk_texts():
        for image in _image_keys_around(key):
            if image not in images:
                images.add(image)
                source = tree.find_deepest_node(image)[0].child("src")
                if source is not None and isinstance(source.value, str):
                    yield PictureUse(source.value.strip(), source.position)
        if key in documents:
            yield from _picture_uses_in_document(documents[key], node)


def _image_keys_around(key: Key) -> Iterator[Key]:
    """Yields the keys of the images that contain the text under `key`, from outside to inside."""
    for index, part in enumerate(key[:-1]):
        if part == "image":
            end = index + 1 if isinstance(key[index + 1], str) else index + 2
            if end < len(key):
                yield key[:end]


def _picture_uses_in_document(document: Document, node: Node) -> Iterator[PictureUse]:
    for token in document.picture_tokens():
        line = node.file_line(line_of_token(token))
        column = 1 if line > node.position.line else node.position.column
        src = unescaped_path(str(token.attrs.get("src", "")))
        yield PictureUse(
            src, SourcePosition(node.position.path, line, column), words_of(token.children or ())
        )


def read_pictures(root: Path, uses: Iterable[PictureUse], problems: list[Problem]) -> IssuePictures:
    """Reads the file of each picture in `uses` once, and adds what is wrong to `problems`."""
    files: dict[str, SourceFile] = {}
    names: dict[tuple[str, str], str] = {}
    failed: dict[tuple[str, str], str] = {}
    total = 0
    for use in uses:
        if use.alternative_text is not None and not use.alternative_text.strip():
            _report_picture_problem(
                problems,
                use,
                "this picture has no alternative text; write ![what it shows](…)",
            )
        if not _is_local_path(use.src):
            if use.alternative_text is not None and not use.src.startswith("https://"):
                _report_picture_problem(
                    problems,
                    use,
                    f'the picture "{use.src[:80]}" must be the path of a file or a URL that begins with https://',
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
            _report_picture_problem(problems, use, f"the picture {failed[written]}")
        if total > limits.MAX_TOTAL or len(files) > limits.MAX_COUNT:
            _report_picture_problem(
                problems,
                use,
                f"an issue may have {limits.MAX_COUNT} pictures at most, {limits.MAX_TOTAL / 1e6:g} MB in "
                "all; leave some out",
            )
            return IssuePictures(tuple(files.values()), names, is_complete=False)
    return IssuePictures(tuple(files.values()), names)


def _report_picture_problem(problems: list[Problem], use: PictureUse, message: str) -> None:
    problems.append(Problem(message, use.position.path, use.position.line, use.position.column))
