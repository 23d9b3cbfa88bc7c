"""The markup of pictures wherever they stand, and what `check` says of them."""

from __future__ import annotations

import io
import random
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from mailer.config import load_settings
from mailer.issue.load import LoadedIssue
from mailer.render.check import check_rendition
from mailer.render.pictures.findings import remote_format_warning
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from tests.pictured import EVERYWHERE, FEATURE, pictured

Attributes = dict[str, str]


class Images(HTMLParser):
    """The pictures of a page by their alt texts, and the links around them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, Attributes] = {}
        self._link = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._link = values.get("href", "")
        elif tag == "img" and values.get("alt"):
            self.found[values["alt"]] = {**values, "link": self._link}

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = ""


def rendered(loaded: LoadedIssue, root: Path) -> Rendition:
    return render_variants(loaded, load_settings(root), slug="x", variants=[0])[0]


def images(page: str) -> dict[str, Attributes]:
    return Images(page).found


@pytest.fixture
def everywhere(tmp_path: Path) -> Rendition:
    return rendered(pictured(tmp_path / "desk", "evening", EVERYWHERE), tmp_path / "desk")


@pytest.fixture
def mail(everywhere: Rendition) -> dict[str, Attributes]:
    return images(everywhere.html.fill({}))


@pytest.fixture
def web(everywhere: Rendition) -> dict[str, Attributes]:
    return images(everywhere.web)


def test_pictures_in_a_text_have_their_size_and_a_file_that_fits(
    mail: dict[str, Attributes], everywhere: Rendition
) -> None:
    files = {picture.name: picture for picture in everywhere.pictures}
    for alt, width in {
        "in a sentence": 16,
        "linked in one": 16,
        "in a list": 16,
        "in a cell": 16,
        "in a caption": 16,
        "icon in a comment": 16,
        "alone": 88,
        "wide in a sentence": 512,
        "wide in a list": 512 - 48,
        "wide in a quote": 512 - 23,
        "wide in a cell": 512 // 3 - 8,
        "wide in a comment": 480,
        "wide alone": 512,
        "of a chosen width": 300,
    }.items():
        found = mail[alt]
        assert found["width"] == str(width), alt
        assert found["height"], alt
        assert f"width:{width}px" in found["style"].replace(" ", ""), alt
        name = found["src"].rpartition("/")[2]
        assert Image.open(io.BytesIO(files[name].data)).width <= 1200
        if alt.startswith("wide in a") and "comment" not in alt:
            assert Image.open(io.BytesIO(files[name].data)).width == 2 * width


def test_pictures_in_a_sentence_stand_in_the_line(mail: dict[str, Attributes]) -> None:
    for alt in ("in a sentence", "in a list", "in a cell", "in a caption", "wide in a sentence", "far icon"):
        assert "display" not in mail[alt]["style"], alt
        assert mail[alt]["class"] == "inline", alt
    assert "display:block" in mail["alone"]["style"]


def test_a_linked_picture_alone_keeps_its_link_and_caption(
    mail: dict[str, Attributes], web: dict[str, Attributes], everywhere: Rendition
) -> None:
    for found in (mail, web):
        assert found["linked alone"]["link"] == "https://www.example.org/linked"
        assert found["linked alone"]["class"].startswith("picture")
    for page in (everywhere.html.fill({}), everywhere.web):
        assert re.search(r"<(p|figcaption)[^>]*>Linked caption</", page)
    text = everywhere.text.fill({})
    assert "Linked caption" in text
    assert "https://www.example.org/linked" in text


@pytest.mark.parametrize(
    "text",
    [
        '[![a](p/badge.png)](https://www.example.org/ "Of the link")',
        '[![a](p/badge.png "Of the link")](<https://www.example.org/>)',
    ],
)
def test_the_caption_of_a_linked_picture_is_its_title_or_that_of_the_link(tmp_path: Path, text: str) -> None:
    page = rendered(pictured(tmp_path / "d", "feature", f"body: |\n  {text}\n"), tmp_path / "d")
    assert re.search(r"<figcaption>Of the link</figcaption>", page.web)


def test_a_high_picture_is_as_high_as_a_screen_unless_its_width_is_chosen(tmp_path: Path) -> None:
    text = (
        "items:\n  - title: a\n    image: {src: p/tall.png, alt: chosen, width: 300 px}\n"
        "    body: '![free](p/tall.png)'\n"
    )
    page = rendered(pictured(tmp_path / "d", "evening", text), tmp_path / "d")
    for found in (images(page.html.fill({})), images(page.web)):
        assert (found["free"]["width"], found["free"]["height"]) == ("180", "720")
        assert (found["chosen"]["width"], found["chosen"]["height"]) == ("300", "1200")


def test_a_picture_of_another_site_has_its_own_size_within_the_column(
    mail: dict[str, Attributes], web: dict[str, Attributes]
) -> None:
    assert "width" not in mail["far and wide"]
    assert "max-width:100%" in mail["far and wide"]["style"]
    assert "max-width: 100%" in mail["far icon"]["style"] or "max-width:100%" in mail["far icon"]["style"]
    for found in (mail, web):
        assert found["far and chosen"]["width"] == "120"
        assert "height" not in found["far and chosen"]


def test_a_small_picture_of_a_feature_has_its_caption_beside_it(tmp_path: Path) -> None:
    html = rendered(pictured(tmp_path / "d", "feature", FEATURE), tmp_path / "d").html.fill({})
    found = images(html)
    assert found["small told"]["width"] == "88"
    assert found["wide told"]["width"] == "600"
    between = html[html.index('alt="small told"') : html.index("Small caption")]
    assert "<table" not in between
    assert "<td" not in between


# ------------------------------------------------------------------------------------------------- findings


def findings(root: Path, text: str, **files: bytes) -> list[str]:
    loaded = pictured(root, "evening", text, **files)
    return [str(each) for each in check_rendition(loaded, rendered(loaded, root), load_settings(root))]


def noise(size: tuple[int, int], format: str = "PNG", frames: int = 1) -> bytes:
    raw = random.Random(1)
    pixels = size[0] * size[1]
    images = [Image.frombytes("RGB", size, raw.randbytes(3 * pixels)) for _ in range(frames)]
    if format == "GIF":
        images = [image.convert("L") for image in images]
    out = io.BytesIO()
    images[0].save(out, format, **({"save_all": True, "append_images": images[1:]} if frames > 1 else {}))
    return out.getvalue()


def test_a_large_file_is_told_at_its_place(tmp_path: Path) -> None:
    text = (
        "items:\n  - title: a\n    image: {src: p/noise.png, alt: a}\n    body: |\n      Words\n\n"
        "      ![b](p/noise.png)\n"
    )
    told = findings(tmp_path / "d", text, noise=noise((640, 640)))
    assert [line.partition(" the picture p/noise.png is sent to readers with ")[0] for line in told] == [
        "issues/pictured.yaml:7: warning:",
        "issues/pictured.yaml:11: warning:",
    ]
    assert all(" MB; show it smaller, or save a photo as JPEG (at most 1 MB)" in line for line in told)


def test_a_large_animation_is_told_above_two_megabytes(tmp_path: Path) -> None:
    text = "items:\n  - title: a\n    image: {src: p/moving.png, alt: a}\n"
    small = noise((500, 500), "GIF", 5)
    large = noise((800, 800), "GIF", 5)
    assert 1_000_000 < len(small) < 2_000_000 < len(large)
    assert findings(tmp_path / "d", text, moving=small) == []
    (told,) = findings(tmp_path / "e", text, moving=large)
    assert told.startswith(
        "issues/pictured.yaml:7: warning: the picture p/moving.png is sent to readers with"
    )
    assert told.endswith("MB; remove frames or colours (at most 2 MB)")


def test_a_large_logo_is_told_in_the_configuration(tmp_path: Path) -> None:
    root = tmp_path / "d"
    loaded = pictured(root, "evening", "items: [{title: a}]\n")
    (root / "issues/pictures/logo.png").write_bytes(noise((640, 640)))
    config = root / "mailer.toml"
    config.write_text(config.read_text("utf-8").replace("logo_width = 36", "logo_width = 600"), "utf-8")
    (told,) = check_rendition(loaded, rendered(loaded, root), load_settings(root))
    assert (told.path, told.severity) == ("mailer.toml", "warning")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://www.example.org/a.svg", "SVG"),
        ("https://www.example.org/a.SVGZ?x=1", "SVG"),
        ("https://www.example.org/a.webp#x", "WebP"),
        ("https://www.example.org/a.avif", "AVIF"),
        ("https://www.example.org/a.png", ""),
        ("https://www.example.org/svg", ""),
        ("https://www.example.org/a.svg/b", ""),
        ("https://www.example.org", ""),
        ("https://[broken/a.svg", ""),
    ],
)
def test_addresses_of_kinds_that_are_not_shown(address: str, kind: str) -> None:
    assert remote_format_warning(address) == (
        f"the picture {address} is {kind}, which many mail programs do not show; use PNG, JPEG or GIF"
        if kind
        else ""
    )


def test_a_far_svg_is_told_at_its_place(tmp_path: Path) -> None:
    text = "items:\n  - title: a\n    body: |\n      Words\n\n      ![b](https://www.example.org/b.svg)\n"
    (told,) = findings(tmp_path / "d", text)
    assert told.startswith(
        "issues/pictured.yaml:10: warning: the picture https://www.example.org/b.svg is SVG"
    )


def test_a_dark_drawing_is_laid_on_the_brands_paper(tmp_path: Path) -> None:
    image = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    image.paste((10, 10, 10, 255), (0, 0, 160, 50))
    out = io.BytesIO()
    image.save(out, "PNG")
    root = tmp_path / "d"
    loaded = pictured(
        root, "evening", "items:\n  - title: a\n    body: '![a](p/ink.png)'\n", ink=out.getvalue()
    )
    config = root / "mailer.toml"
    config.write_text(config.read_text("utf-8").replace('paper = "#ffffff"', 'paper = "#fffbf0"'), "utf-8")
    (root / "issues/pictures/logo.png").write_bytes(out.getvalue())
    page = rendered(loaded, root)
    assert len(page.pictures) == 2
    for picture in page.pictures:
        made = Image.open(io.BytesIO(picture.data)).convert("RGBA")
        assert made.getpixel((5, made.height - 5)) == (255, 251, 240, 255)


def test_a_logo_is_never_wider_than_its_pixels(tmp_path: Path) -> None:
    root = tmp_path / "d"
    loaded = pictured(root, "evening", "items: [{title: a}]\n")
    out = io.BytesIO()
    Image.new("RGB", (24, 12), "red").save(out, "PNG")
    (root / "issues/pictures/logo.png").write_bytes(out.getvalue())
    page = rendered(loaded, root)
    for html in (page.html.fill({}), page.web):
        assert re.search(r'<img src="[^"]*" alt="" width="24" height="12"', html)
