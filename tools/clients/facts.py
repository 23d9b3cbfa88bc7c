"""Loads the table of facts about mail clients: rules, simulations, limits, what half of them lack."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

__all__ = ["CHECKS", "Facts", "Rule", "ScarceDeclaration", "Simulation", "Stage", "load_facts"]

TABLE = Path(__file__).with_name("facts.toml")
#: The layout facts that a simulation may compare.
CHECKS = (
    "overflow",
    "size",
    "contrast",
    "overlap",
    "targets",
    "words",
    "long-words",
    "clauses",
    "direction",
)
Stage = Literal["source", "page", "browser"]


@dataclass(frozen=True)
class Rule:
    """Holds one thing that a client does to a mail.

    `options` are the numbers and lists of the rule, as they stand in the table. `sources` are URLs.
    """

    name: str
    stage: Stage
    says: str
    sources: tuple[str, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Simulation:
    """Holds the rules of a family of clients. `widths` (in the gallery) and `checked` (by tests) are px."""

    key: str
    name: str
    family: tuple[str, ...]
    rules: tuple[Rule, ...]
    scheme: Literal["light", "dark"]
    widths: tuple[int, ...]
    checked: tuple[int, ...]
    checks: frozenset[str]

    def rules_of(self, stage: Stage) -> tuple[Rule, ...]:
        """Returns the rules that work at this stage, in their order."""
        return tuple(rule for rule in self.rules if rule.stage == stage)


@dataclass(frozen=True)
class ScarceDeclaration:
    """Holds a CSS property that half of the clients lack: its caniemail page and their share (0 to 1)."""

    name: str
    page: str
    share: float


@dataclass(frozen=True)
class Facts:
    """Holds the whole table. `limits` has `text` (px), `contrast` and `targets` (kind: px)."""

    rules: Mapping[str, Rule]
    simulations: Mapping[str, Simulation]
    scarce: tuple[ScarceDeclaration, ...]
    limits: Mapping[str, Any]


@cache
def load_facts(path: Path = TABLE) -> Facts:
    """Returns the table.

    Raises ValueError for an unknown stage, rule or check, and KeyError for a missing key.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    scarce = tuple(ScarceDeclaration(name, **entry) for name, entry in table["scarce"].items())
    rules = {name: _rule(name, entry) for name, entry in table["rules"].items()}
    rules["scarce-removed"] = replace(
        rules["scarce-removed"], options={"properties": [each.name for each in scarce]}
    )
    simulations = {key: _simulation(key, entry, rules) for key, entry in table["simulations"].items()}
    return Facts(rules, simulations, scarce, table["limits"])


def _rule(name: str, entry: dict[str, Any]) -> Rule:
    stage = entry["stage"]
    if stage not in get_args(Stage):
        raise ValueError(f"rule {name}: there is no stage {stage}")
    options = {key: value for key, value in entry.items() if key not in ("stage", "says", "sources")}
    return Rule(name, stage, entry["says"], tuple(entry["sources"]), options)


def _simulation(key: str, entry: dict[str, Any], rules: Mapping[str, Rule]) -> Simulation:
    unknown = [name for name in entry["rules"] if name not in rules]
    unknown += [name for name in entry["checks"] if name not in CHECKS]
    if unknown:
        raise ValueError(f"simulation {key}: there is no rule or check {', '.join(unknown)}")
    return Simulation(
        key,
        entry["name"],
        tuple(entry["family"]),
        tuple(rules[name] for name in entry["rules"]),
        entry.get("scheme", "light"),
        tuple(entry["widths"]),
        tuple(entry["checked"]),
        frozenset(entry["checks"]),
    )
