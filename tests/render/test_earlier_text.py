"""A `text/macros.txt` that a workspace wrote for version 0.5.0 goes on working with every issue."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.render.render import render_variants
from tests.full_issue import full_issue

MACROS = """\
{% macro story(item, numbered=true) %}
Mine: {{ item.title | wrap(72, "    ", "%2d. " % item.number if numbered else "* ") }}
{% endmacro %}
{% macro rule() %}
----------------------------------------
{% endmacro %}
"""


@pytest.mark.parametrize("sections", [False, True])
def test_earlier_macros_take_an_issue_with_every_part(tmp_path: Path, sections: bool) -> None:
    loaded = full_issue(tmp_path / "desk", edition="morning", sections=sections, new=True)
    own = tmp_path / "desk/templates/text"
    own.mkdir(parents=True)
    (own / "macros.txt").write_text(MACROS, "utf-8")
    text = render_variants(loaded, load_settings(tmp_path / "desk"), slug="x", variants=(0,))[0].text.fill({})
    assert "Mine:  1. Title1word" in text
    assert "Mine: * Adtitle" in text
    words = ["[Coveralt]", "Covercaption", "Covercredit", "coverurl", "Relatedkind", "Relateddate"]
    words += ["[Listalt]", "Textsectionbody"] if sections else []
    assert [word for word in words if word not in text] == []
