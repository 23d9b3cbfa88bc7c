"""Makes the pictures of docs/issues.md, one of each example on a telephone: `python -m tools.issue_pictures`.

An example is a block of YAML that is followed by a picture. What it leaves out (edition, date, language) is
filled in, and the frame of the mail is cut off.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from mailer.config import load_settings
from mailer.issue.load import LoadedIssue, load_issue
from tools.screenshots import ROOT, Shown, chromium, opened, shown

PAGE = ROOT / "docs/issues.md"
_EXAMPLE = re.compile(
    r"```yaml\n((?:(?!```).)*?)```\n\n!\[([^]]+)\]\((pictures/issues/[\w-]+\.png)\)", re.DOTALL
)
_BEGINNING = "edition: evening\ndate: 2026-11-25\nlanguage: en\n"
#: Between the masthead and the footer.
_CROP = """() => {
  const mast = document.querySelector(".base").closest("table").getBoundingClientRect();
  const foot = document.querySelector(".foot").closest("table").getBoundingClientRect();
  return [mast.bottom, foot.top];
}"""


@dataclass(frozen=True)
class Example:
    """An example of the page: its YAML as it stands there, and the path of its picture below docs/."""

    text: str
    picture: str

    @property
    def issue(self) -> str:
        """The example as a whole issue, with a title where it has none and content where it has none."""
        text = _BEGINNING + self.text
        if not re.search(r"^title:", self.text, re.MULTILINE):
            text += "title: An example\n"
        if not re.search(r"^(items|sections|body):", self.text, re.MULTILINE):
            text += "body: The first words of the text.\n"
        return text


def examples() -> list[Example]:
    """The examples of the page that have pictures, in order."""
    return [Example(found[1], found[3]) for found in _EXAMPLE.finditer(PAGE.read_text("utf-8"))]


def loaded_examples(folder: Path) -> Iterator[tuple[Example, LoadedIssue]]:
    """Yields each example as an issue of a workspace that is made at `folder`."""
    (folder / "issues").mkdir(parents=True)
    shutil.copy(ROOT / "mailer.toml", folder)
    shutil.copytree(ROOT / "issues/pictures", folder / "issues/pictures")
    settings = load_settings(folder)
    for example in examples():
        path = folder / "issues" / f"{Path(example.picture).stem}.yaml"
        path.write_text(example.issue, encoding="utf-8")
        yield example, load_issue(path, settings)


def _write_picture(page_of: Shown, file: Path) -> None:
    with (
        chromium() as browser,
        opened(browser, page_of.mail, page_of.pictures, width=375, scheme="light", sharp=2) as page,
    ):
        top, bottom = page.evaluate(_CROP)
        data = page.screenshot(full_page=True)
    whole = Image.open(io.BytesIO(data)).convert("RGB").crop((0, int(2 * top) + 2, 750, int(2 * bottom)))
    shown_size = whole.resize((562, round(whole.height * 0.75)), Image.Resampling.LANCZOS)
    file.parent.mkdir(parents=True, exist_ok=True)
    shown_size.quantize(128, kmeans=2, dither=Image.Dither.NONE).save(file, optimize=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for example, loaded in loaded_examples(Path(folder) / "workspace"):
            root = Path(folder) / "workspace"
            _write_picture(shown(loaded, root), ROOT / "docs" / example.picture)
            print(f"docs/{example.picture}")  # noqa: T201


if __name__ == "__main__":
    main()
