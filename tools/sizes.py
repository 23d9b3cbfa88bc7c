"""Prints what the sample issues weigh: `python -m tools.sizes`.

The message is the one that `mailer render` writes: both parts encoded, all headers, no DKIM signature.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from mailer.config import load_settings
from mailer.issue.load import load_issue
from mailer.message.sample import sample_message
from mailer.render.render import render_variants
from tools.screenshots import READER, ROOT

__all__ = ["Size", "sample_sizes", "table"]


@dataclass(frozen=True)
class Size:
    """Holds what one issue weighs, in bytes: its HTML and text parts in UTF-8, and the encoded message."""

    name: str
    html: int
    text: int
    message: int


def size_of(path: Path, root: Path = ROOT) -> Size:
    """Returns what the issue at `path` weighs with the theme of the workspace at `root`."""
    settings = load_settings(root).model_copy(update={"secret_keys": (SecretStr("for sizes only"),)})
    loaded = load_issue(path, settings)
    rendition = render_variants(loaded, settings, slug=path.stem, variants=[0])[0]
    sent_at = dt.datetime.combine(loaded.issue.date, dt.time(8), settings.publication.zone)
    message = sample_message(
        settings, rendition, slug=path.stem, edition=loaded.issue.edition, sent_at=sent_at
    ).raw()
    html, text = (part.fill(READER).encode() for part in (rendition.html, rendition.text))
    return Size(path.stem, len(html), len(text), len(message))


def sample_sizes() -> list[Size]:
    """Returns what each sample issue weighs, in the order of their names."""
    return [size_of(path) for path in sorted((ROOT / "issues").glob("*.yaml"))]


def table(sizes: Iterable[Size]) -> str:
    """Returns the sizes as a table in KB of 1,024 bytes."""
    lines = [f"{'KB':24} {'HTML':>8} {'text':>8} {'message':>8}"]
    for size in sizes:
        numbers = " ".join(f"{number / 1024:8.1f}" for number in (size.html, size.text, size.message))
        lines.append(f"{size.name:24} {numbers}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(sample_sizes()))  # noqa: T201
