"""Mail, text part and web page of each layout have all that an issue can hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.render.render import render_variants
from tests.full_issue import FULL_WORDS, NEW_WORDS, NEW_WORDS_OF_SECTIONS, full_issue


@pytest.mark.parametrize("layout", ["morning", "evening", "feature", "brief", "digest"])
@pytest.mark.parametrize("sections", [False, True])
def test_nothing_that_an_editor_wrote_is_left_out(tmp_path: Path, layout: str, sections: bool) -> None:
    folder = tmp_path / "desk"
    loaded = full_issue(folder, edition="evening", sections=sections, new=True)
    settings = load_settings(folder)
    edition = settings.editions["evening"].model_copy(update={"layout": layout})
    settings = settings.model_copy(update={"editions": {**settings.editions, "evening": edition}})
    rendition = render_variants(loaded, settings, slug="full", variants=(0,))[0]
    words = (*FULL_WORDS, *NEW_WORDS, *(NEW_WORDS_OF_SECTIONS if sections else ()))
    shown = {"mail": rendition.html.fill({}), "text": rendition.text.fill({}), "web": rendition.web}
    missing = {medium: [word for word in words if word not in text] for medium, text in shown.items()}
    assert missing == {"mail": [], "text": [], "web": []}
    assert '<p class="by"' in rendition.web
