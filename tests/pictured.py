"""A workspace with pictures of telling sizes, and an issue that has them wherever a picture may stand."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image

from mailer.config import load_settings
from mailer.issue.load import LoadedIssue, load_issue

__all__ = ["EVERYWHERE", "FEATURE", "SIZES", "pictured", "png"]

ROOT = Path(__file__).parents[1]
SIZES = {
    "icon": (16, 16),
    "badge": (88, 31),
    "middle": (560, 280),
    "near": (650, 300),
    "wide": (1400, 700),
    "tall": (500, 2000),
}

EVERYWHERE = """
items:
  - title: Everywhere
    image: {src: p/badge.png, alt: of an item, caption: "Beside ![in a caption](p/icon.png) words"}
    body: |
      A paragraph before.

      ![alone](p/badge.png)

      Between ![in a sentence](p/icon.png) and [![linked in one](p/icon.png)](https://www.example.org/i) it.

      [![linked alone](p/middle.png "Linked caption")](https://www.example.org/linked)

      Words ![wide in a sentence](p/wide.png) go on.

      - ![in a list](p/icon.png) first
        - ![wide in a list](p/wide.png)

      > ![wide in a quote](p/wide.png)

      | Flag | Country and a good deal more than fits into a line | Map |
      |---|---|---|
      | ![in a cell](p/icon.png) | Nowhere, as far as we are told today | ![wide in a cell](p/wide.png) |

      ![wide alone](p/wide.png "Wide caption")

      ![tall alone](p/tall.png)
    comment: |
      ![wide in a comment](p/wide.png)

      With ![icon in a comment](p/icon.png) it.
  - title: Chosen
    image: {src: p/wide.png, alt: of a chosen width, width: 300}
  - title: Far
    image: {src: "https://www.example.org/far-wide.png", alt: far and wide}
    body: "A ![far icon](https://www.example.org/far-icon.png) here"
  - title: Far and chosen
    image: {src: "https://www.example.org/far-wide.png", alt: far and chosen, width: 120}
"""

FEATURE = """
body: |
  A paragraph before.

  ![small](p/badge.png)

  A paragraph between.

  ![small told](p/badge.png "Small caption")

  A paragraph between.

  ![middle](p/middle.png)

  A paragraph between.

  ![near](p/near.png "Near caption")

  A paragraph between.

  [![wide](p/wide.png)](https://www.example.org/wide)

  A paragraph between.

  ![wide told](p/wide.png "Wide caption")

  A paragraph between, with ![an icon](p/icon.png) in it.

  ![tall](p/tall.png)

  A paragraph between.

  ![far](https://www.example.org/far-icon.png)

  A paragraph after.
"""


def png(size: tuple[int, int], colour: str = "#c8541e") -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def pictured(root: Path, edition: str, text: str, **files: bytes) -> LoadedIssue:
    """The issue with this text, in a workspace at `root` with pictures of all `SIZES` and `files` (PNG)."""
    (root / "issues/p").mkdir(parents=True, exist_ok=True)
    (root / "issues/pictures").mkdir(exist_ok=True)
    shutil.copy(ROOT / "mailer.toml", root)
    shutil.copy(ROOT / "issues/pictures/logo.png", root / "issues/pictures")
    for name, data in {**{name: png(size) for name, size in SIZES.items()}, **files}.items():
        (root / f"issues/p/{name}.png").write_bytes(data)
    path = root / "issues/pictured.yaml"
    path.write_text(
        f"edition: {edition}\ndate: 2026-11-21\nlanguage: en\ntitle: Pictures\n{text}", encoding="utf-8"
    )
    return load_issue(path, load_settings(root))
