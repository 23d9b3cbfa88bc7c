"""The pictures of an issue: found in its tree and its Markdown, and looked at before anybody renders them.

What they look like in a mail (sizes, names) is left to `render`.
"""

from __future__ import annotations

import io
import posixpath
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from PIL import Image

from mailer.errors import Problem
from mailer.issue.fields import MAX_BODY
from mailer.issue.source import SourceFile, locate, name_in, read_bounded
from mailer.issue.tree import Mark, Node

__all__ = ["PictureUse", "read_pictures", "relocate", "uses_of"]

#: What a mail can be made of: rendering turns WebP into what mail programs show. SVG is not among it.
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MAX_PICTURE = 10_000_000
MAX_PICTURES = 40_000_000
MAX_PIXELS = 40_000_000
MAX_COUNT = 100

#: The keys whose texts are Markdown.
MARKDOWN_KEYS = ("intro", "body", "comment", "caption", "text", "notice")


@dataclass(frozen=True, slots=True)
class PictureUse:
    """A picture where it is used. `src` is relative to the issue's folder, or an address."""

    src: str
    mark: Mark
    alt: str | None = None  # only known here for Markdown; elsewhere the model asks for it


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark")


def _is_local(src: str) -> bool:
    return not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", src)


def uses_of(node: Node) -> Iterator[PictureUse]:
    """Every picture of a tree, in the order in which it is read."""
    if isinstance(node.value, tuple):
        for entry in node.value:
            yield from uses_of(entry)
    elif isinstance(node.value, Mapping):
        for key, child in node.value.items():
            source = child.child("src") if key == "image" else None
            if source is not None and isinstance(source.value, str):
                yield PictureUse(source.value.strip(), source.mark)
            elif key in MARKDOWN_KEYS and isinstance(child.value, str):
                yield from _in_markdown(child.value, child)
            else:
                yield from uses_of(child)


def _in_markdown(text: str, node: Node) -> Iterator[PictureUse]:
    if "![" not in text or len(text) > MAX_BODY:  # what is longer is refused, and not looked through
        return
    for block in _markdown().parse(text):
        line = node.text_line + (block.map[0] if block.map and node.text_line > node.mark.line else 0)
        column = 1 if line > node.mark.line else node.mark.column
        for token in block.children or ():
            if token.type == "image":
                mark = Mark(node.mark.path, line, column)
                yield PictureUse(str(token.attrGet("src") or ""), mark, token.content)


def relocate(node: Node, folder: str, target: str) -> Node:
    """The tree of a file in `folder` with its picture paths written as from the folder `target`."""
    prefix = posixpath.relpath(folder or ".", target or ".")
    if prefix == ".":
        return node

    def moved(src: str) -> str:
        return posixpath.normpath(posixpath.join(prefix, src)) if src and _is_local(src) else src

    def walk(node: Node, key: str, inside: str) -> Node:
        if isinstance(node.value, tuple):
            return replace(node, value=tuple(walk(entry, key, inside) for entry in node.value))
        if isinstance(node.value, Mapping):
            return replace(node, value={name: walk(child, name, key) for name, child in node.value.items()})
        if node.value is None:
            return node
        if (inside, key) == ("image", "src"):
            return replace(node, value=moved(node.value.strip()))
        if key in MARKDOWN_KEYS:
            text = node.value
            found = dict.fromkeys(use.src for use in _in_markdown(text, node) if _is_local(use.src))
            # Each takes a search through the text; with more than these the issue is refused.
            for src in islice(found, MAX_COUNT + 1):
                for written in dict.fromkeys((src, unquote(src))):
                    text = re.sub(
                        r"(!\[[^\]\n]*\]\(\s*<?|^ {0,3}\[[^\]\n]+\]:\s*<?)"
                        + re.escape(written)
                        + r"(?=[\s)>]|$)",
                        lambda found: found[1] + moved(found[0][len(found[1]) :]),
                        text,
                        flags=re.MULTILINE,
                    )
            return replace(node, value=text)
        return node

    return walk(node, "", "")


def read_pictures(root: Path, folder: Path, tree: Node, problems: list[Problem]) -> tuple[SourceFile, ...]:
    """The bytes of every picture that is a file, each once. What is wrong is added to `problems`."""
    files: dict[str, SourceFile] = {}
    total = 0
    seen: dict[str, str | None] = {}
    for use in uses_of(tree):
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
        if use.src not in seen:
            message: str | None = None
            try:
                file = _read(root, folder, unquote(use.src) if use.alt is not None else use.src)
                if file.path not in files:
                    files[file.path] = file
                    total += len(file.data)
            except ValueError as error:
                message = str(error)
            seen[use.src] = message
        if seen[use.src]:
            _complain(problems, use, f"the picture {seen[use.src]}")
        if total > MAX_PICTURES or len(files) > MAX_COUNT:
            _complain(
                problems,
                use,
                f"an issue has up to {MAX_COUNT} pictures, {MAX_PICTURES / 1e6:g} MB in all; leave some out",
            )
            break
    return tuple(files.values())


def _read(root: Path, folder: Path, src: str) -> SourceFile:
    path = locate(root, folder, src)
    name = name_in(root, folder, src, path)
    try:
        data = read_bounded(path, MAX_PICTURE)
        _look(data)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
    return SourceFile(name, data)


def _look(data: bytes) -> None:
    """Raises ValueError with a sentence unless this is a picture of a sane size. Reads no pixels of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                width, height = picture.size
                if width * height <= MAX_PIXELS:
                    picture.verify()
    except Image.DecompressionBombError:
        width = height = MAX_PIXELS
    except Exception:  # Pillow raises whatever a broken header happens to trip over
        raise ValueError("is not a sound PNG, JPEG, GIF or WebP picture, whatever its name says") from None
    if width * height > MAX_PIXELS:
        raise ValueError(f"has more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller")


def _complain(problems: list[Problem], use: PictureUse, message: str) -> None:
    problems.append(Problem(message, use.mark.path, use.mark.line, use.mark.column))
