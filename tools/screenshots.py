"""Pictures of the sample issues in Chromium, as phones and desktops show them: `python -m tools.screenshots`.

Each sample at 375 and 680 px, light and dark, goes to build/screenshots; the pictures of the README to
docs/pictures. Nothing is loaded from the network: pictures come out of the rendition.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, Page, Route, sync_playwright

from mailer.config import Settings, load_settings
from mailer.issue.load import LoadedIssue, load_issue
from mailer.render.render import render_variants
from mailer.site.pages import ReaderPages

ROOT = Path(__file__).parents[1]
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

WIDTHS = (375, 680)
#: The pages for readers in docs/themes.md: name and language.
PAGES = (("unsubscribe", "zh"), ("preferences", "en"))
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
READER = {
    "subscriber.name": "林小满",
    "subscriber.email": "lin@example.org",
    "links.unsubscribe": "https://news.example.org/u/one.two",
    "links.preferences": "https://news.example.org/p/one.two",
}


@dataclass(frozen=True)
class Shown:
    """An issue as one reader gets it, and its public page, with the pictures that both refer to."""

    name: str
    mail: str
    web: str
    pictures: dict[str, bytes]


def shown(loaded: LoadedIssue, root: Path = ROOT, settings: Settings | None = None) -> Shown:
    """The issue, rendered with the theme of the workspace at `root`, and its settings if none are given."""
    name = Path(loaded.path).stem
    rendition = render_variants(loaded, settings or load_settings(root), slug=name, variants=[0])[0]
    pictures = {picture.name: picture.data for picture in rendition.pictures}
    return Shown(name, rendition.html.fill(READER), rendition.web, pictures)


def samples() -> list[Shown]:
    """The sample issues of this repository."""
    settings = load_settings(ROOT)
    return [shown(load_issue(path, settings)) for path in sorted((ROOT / "issues").glob("*.yaml"))]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, quiet and without a network of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, html: str, pictures: dict[str, bytes], *, width: int, scheme: Scheme, sharp: int = 1
) -> Iterator[Page]:
    """A page of `html` at this width, once its pictures are there."""
    context = browser.new_context(
        viewport={"width": width, "height": 812}, color_scheme=scheme, device_scale_factor=sharp
    )

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if route.request.url == "https://news.example.org/":
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif name in pictures:
            route.fulfill(body=pictures[name])
        else:
            route.abort()

    context.route("**/*", answer)
    try:
        page = context.new_page()
        page.goto("https://news.example.org/", wait_until="load")
        yield page
    finally:
        context.close()


def picture_of(page: Page, *, whole: bool = True) -> Image.Image:
    """What the page looks like."""
    return Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")


def phones(screens: list[Image.Image], file: Path) -> None:
    """Screens side by side, as phones on a desk."""
    gap, edge, bezel = 72, 72, 14
    width = sum(screen.width for screen in screens) + gap * (len(screens) - 1) + 2 * edge
    height = screens[0].height + 2 * edge
    desk = Image.new("RGB", (width, height), "#dcd6ca")
    shadow = Image.new("L", desk.size, 0)
    x = edge
    places = []
    for screen in screens:
        places.append(x)
        ImageDraw.Draw(shadow).rounded_rectangle(
            [x - bezel, edge - bezel + 22, x + screen.width + bezel, edge + screen.height + bezel + 22],
            66,
            fill=90,
        )
        x += screen.width + gap
    desk.paste(Image.new("RGB", desk.size, "#5a5346"), (0, 0), shadow.filter(ImageFilter.GaussianBlur(26)))
    draw = ImageDraw.Draw(desk)
    for x, screen in zip(places, screens, strict=True):
        draw.rounded_rectangle(
            [x - bezel, edge - bezel, x + screen.width + bezel, edge + screen.height + bezel],
            66,
            fill="#0d1216",
        )
        mask = Image.new("L", screen.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle([0, 0, screen.width - 1, screen.height - 1], 54, fill=255)
        desk.paste(screen, (x, edge), mask)
    desk = desk.resize((desk.width * 3 // 4, desk.height * 3 // 4), Image.Resampling.LANCZOS)
    desk.quantize(256, kmeans=2, dither=Image.Dither.NONE).save(file, optimize=True)


def main() -> None:
    build, docs = ROOT / "build/screenshots", ROOT / "docs/pictures"
    build.mkdir(parents=True, exist_ok=True)
    docs.mkdir(parents=True, exist_ok=True)
    screens: dict[tuple[str, str], Image.Image] = {}
    further: dict[tuple[str, str], Image.Image] = {}
    with chromium() as browser:
        for issue in samples():
            for scheme in SCHEMES:
                for width in WIDTHS:
                    file = build / f"{issue.name}-{width}-{scheme}.png"
                    with opened(browser, issue.mail, issue.pictures, width=width, scheme=scheme) as page:
                        picture_of(page).save(file)
                    print(file.relative_to(ROOT))  # noqa: T201
                with opened(browser, issue.mail, issue.pictures, width=375, scheme=scheme, sharp=2) as page:
                    screens[issue.name, scheme] = picture_of(page, whole=False)
                    # From the first story on, where the comment and the way of the numbers are seen.
                    if page.locator("#item-1").count():
                        page.locator("#item-1").evaluate(
                            "(at) => scrollTo(0, at.getBoundingClientRect().top - 70)"
                        )
                    further[issue.name, scheme] = picture_of(page, whole=False)
    morning, evening, feature = sorted({name for name, _ in screens}, key=_order)
    phones([screens[morning, "light"], further[morning, "dark"]], docs / "morning.png")
    phones([screens[evening, "light"], screens[feature, "light"]], docs / "evening-and-feature.png")
    print("docs/pictures/morning.png\ndocs/pictures/evening-and-feature.png")  # noqa: T201
    _pictures_of_blocks(docs)


def _pictures_of_blocks(docs: Path) -> None:
    """Writes the pictures of docs/themes.md: a brief, a digest, and two screens with most blocks."""
    from tools.clients.documents import documents

    fixtures = documents()
    with chromium() as browser:
        pair = [
            _screen(browser, fixtures["brief"], "light", None),
            _screen(browser, fixtures["digest"], "dark", None),
        ]
        phones(pair, docs / "brief-and-digest.png")
        everything = fixtures["everything"]
        pair = [
            _screen(browser, everything, "light", "blockquote"),
            _screen(browser, everything, "light", ".tint .label >> nth=-1"),
        ]
        phones(pair, docs / "blocks.png")
        phones([_page_screen(browser, name, language) for name, language in PAGES], docs / "pages.png")
    print("docs/pictures/brief-and-digest.png\ndocs/pictures/blocks.png\ndocs/pictures/pages.png")  # noqa: T201


def _page_screen(browser: Browser, name: str, language: str) -> Image.Image:
    """A telephone's screen with a page for readers, in light mode."""
    settings = load_settings(ROOT)
    contexts: dict[str, dict[str, Any]] = {
        "unsubscribe": {"preferences": "/p"},
        "preferences": {
            "editions": settings.editions, "chosen": ("morning", "evening"), "saved": False, "away": False,
            "refused": False, "unsubscribe": "/u",
        },
    }  # fmt: skip
    html = ReaderPages(settings).render_page(name, language, **contexts[name]).body.decode()
    with opened(browser, html, {}, width=375, scheme="light", sharp=2) as page:
        return picture_of(page, whole=False)


def _screen(browser: Browser, issue: Shown, scheme: Scheme, at: str | None) -> Image.Image:
    """A telephone's screen, scrolled so that the element `at` is near its top."""
    with opened(browser, issue.mail, issue.pictures, width=375, scheme=scheme, sharp=2) as page:
        if at is not None:
            page.locator(at).first.evaluate("(at) => scrollTo(0, at.getBoundingClientRect().top - 120)")
        return picture_of(page, whole=False)


def _order(name: str) -> int:
    return ("morning", "evening", "feature").index(name.rpartition("-")[2])


if __name__ == "__main__":
    main()
