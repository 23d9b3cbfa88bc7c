"""The table of facts about mail clients, conditional comments, and the page of the gallery."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.needs import missing
from tools.clients.facts import CHECKS, load_facts
from tools.clients.gallery import Look, write_gallery
from tools.clients.html_check import HtmlCheck
from tools.clients.simulate import faults_of, resolve_mso_conditionals
from tools.screenshots import ROOT

FACTS = load_facts()
DATA = Path(os.environ.get("CANIEMAIL_JSON", ROOT.parent / "shared/data/caniemail.json"))


def test_every_fact_cites_a_source() -> None:
    for rule in FACTS.rules.values():
        assert rule.says.endswith("."), rule.name
        assert rule.sources, rule.name
        assert all(source.startswith("https://") for source in rule.sources), rule.name
    for entry in FACTS.rules["word-declarations"].options["ignored"]:
        assert entry["source"].startswith("https://"), entry


def test_every_rule_belongs_to_a_simulation_and_every_simulation_is_checked_or_shown() -> None:
    used = {rule.name for simulation in FACTS.simulations.values() for rule in simulation.rules}
    assert used == set(FACTS.rules)
    for simulation in FACTS.simulations.values():
        assert simulation.checked, simulation.key
        assert simulation.checks, simulation.key
        assert simulation.family, simulation.key
    assert {check for each in FACTS.simulations.values() for check in each.checks} == set(CHECKS)


def test_widths_of_telephones_and_of_desktops_are_shown() -> None:
    assert {width for each in FACTS.simulations.values() for width in each.widths} == {280, 320, 375, 680}


def test_dark_simulations_compare_contrast() -> None:
    for simulation in FACTS.simulations.values():
        if "dark" in simulation.key:
            assert "contrast" in simulation.checks, simulation.key


def test_the_table_of_scarce_declarations_is_that_of_caniemail() -> None:
    """The share of clients whose newest tested version lacks a property, of those with a known result."""
    if not DATA.exists():
        missing("../shared/data/caniemail.json")
    shares = {}
    for feature in json.loads(DATA.read_text("utf-8"))["data"]:
        newest = Counter(
            [*versions.values()][-1][0]
            for platforms in feature["stats"].values()
            for versions in platforms.values()
        )
        known = newest["y"] + newest["a"] + newest["n"]
        shares[feature["slug"]] = round(newest["n"] / known, 2) if known else 0
    assert {each.name: shares[each.page] for each in FACTS.scarce} == {
        each.name: each.share for each in FACTS.scarce
    }
    assert min(each.share for each in FACTS.scarce) >= 0.5


@pytest.mark.parametrize("name", ["no-rule", "no-check", "no-stage"])
def test_a_table_with_an_unknown_name_is_refused(tmp_path: Path, name: str) -> None:
    text = (ROOT / "tools/clients/facts.toml").read_text("utf-8")
    old, new = {
        "no-rule": ('rules = ["media-removed"]', 'rules = ["no-rule"]'),
        "no-check": ('checks = ["overlap", "long-words"]', 'checks = ["no-check"]'),
        "no-stage": ('stage = "browser"', 'stage = "no-stage"'),
    }[name]
    assert old in text
    (tmp_path / "facts.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=f"there is no .*{name}"):
        load_facts(tmp_path / "facts.toml")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("mso", True),
        ("!mso", False),
        ("mso | IE", True),
        ("IE", False),
        ("!IE", True),
        ("lte mso 11", False),
        ("gte mso 9", True),
        ("mso 16", True),
        ("gt mso 16", False),
        ("lt mso 17", True),
        ("(gte mso 9)|(IE)", True),
        ("mso & !IE", True),
    ],
)
def test_a_condition_is_that_of_word(condition: str, holds: bool) -> None:
    html = f"a<!--[if {condition}]>b<![endif]-->c<!--[if {condition}]><!-->d<!--<![endif]-->e"
    assert resolve_mso_conditionals(html, 16) == ("abcde" if holds else "ace")


def test_other_comments_stay_and_an_unknown_condition_is_an_error() -> None:
    assert resolve_mso_conditionals("a<!-- b -->c", 16) == "a<!-- b -->c"
    with pytest.raises(ValueError, match="cannot be read: sunny"):
        resolve_mso_conditionals("<!--[if sunny]>b<![endif]-->", 16)


def test_faults_are_lines_by_kind() -> None:
    measured = {
        "size": [{"text": "a", "is": 12}, {"text": "a", "is": 12}],
        "overflow": [{"text": "b", "is": 400}],
    }
    assert faults_of(measured, ("size", "overflow")) == ["overflow 400: b", "size 12: a"]
    assert faults_of(measured, frozenset({"words"})) == []


def test_the_gallery_shows_every_look_with_its_faults(tmp_path: Path) -> None:
    plain = FACTS.simulations["plain"]
    looks = [
        Look("one", plain, 375, "one-plain-375.jpg", ("size 12: <b>", *(f"size {n}: x" for n in range(20)))),
        Look("two", plain, 680, "two-plain-680.jpg", ()),
    ]
    page = write_gallery(tmp_path, looks, {"one": HtmlCheck(90, 1.5, "css-margin", "css-float")})
    html = page.read_text("utf-8")
    assert re.findall(r'<img src="([^"]+)"', html) == ["one-plain-375.jpg", "two-plain-680.jpg"]
    assert "size 12: &lt;b&gt;" in html
    assert "and 9 more" in html
    assert "90.0 % supported (partly: css-margin), 1.5 % unsupported (css-float)." in html
    assert "https://www.caniemail.com/features/css-at-media/" in html
