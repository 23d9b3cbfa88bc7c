"""Every command of the program in one table: how it is called so that it ends with each exit status.

A command without a row fails `test_contract_table.py`. A row runs in the workspace of `lay_out`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailer.commands import program
from tests.cli import run

__all__ = ["LEFT", "SENT", "TABLE", "Command", "leaves", "lay_out"]

#: The campaign that everybody got, into the folder `outbox`.
SENT = "2026-11-21-morning"
#: The campaign that is left, because its server cannot be reached.
LEFT = "2026-11-21-evening"
_UNREACHABLE = "smtp://127.0.0.1:1"


@dataclass(frozen=True)
class Command:
    """The arguments with which a command ends with 0, 2 and 1; None where there is no such way.

    `more` are further ways to call it, each of which ends with 0, by the name that docs/exit-statuses.md has.
    """

    done: str | None
    wrong: str | None
    failed: str | None = None
    more: tuple[tuple[str, str], ...] = ()


TABLE: dict[str, Command] = {
    "init": Command("new-desk", ".", "/proc/desk"),
    "new": Command("morning --date 2026-11-23", "noon"),
    "check": Command("issues/morning.yaml", "issues/broken.yaml"),
    "schema": Command("", "issues/morning.yaml"),
    "render": Command(
        "issues/morning.yaml -o look", "issues/none.yaml -o look", "issues/morning.yaml -o readers.csv/x"
    ),
    "plan": Command(
        "issues/feature.yaml", "issues/none.yaml", more=(("plan --at", "issues/feature.yaml --at 08:00"),)
    ),
    "send": Command(
        "issues/feature.yaml --yes",
        "issues/feature.yaml",
        f"issues/feature.yaml --yes --transport {_UNREACHABLE}",
        more=(
            ("send --at", "issues/feature.yaml --yes --at 08:00"),
            ("send --test", "issues/feature.yaml --test editor@example.org"),
        ),
    ),
    "run-due": Command("", "issues/feature.yaml"),
    "explain": Command("ann@example.org issues/feature.yaml", "ann@example.org issues/none.yaml"),
    "doctor": Command("--offline", "--offline --dns-server 127.0.0.1:53", "--offline"),
    "serve": Command(None, "--port many", "--host 192.0.2.1"),
    "campaigns list": Command("", "--state sent"),
    "campaigns show": Command(SENT, "none"),
    "campaigns deliveries": Command(SENT, f"{SENT} --state lost"),
    "campaigns pause": Command(LEFT, SENT),
    "campaigns cancel": Command(LEFT, "none"),
    "campaigns resume": Command(SENT, "none", LEFT),
    "campaigns retry": Command(SENT, "none", LEFT),
    "campaigns resolve": Command(f"{LEFT} --assume-sent", LEFT),
    "campaigns verify": Command(SENT, "none", LEFT),
    "subscribers import": Command("readers.csv", "none.csv", "mixed.csv"),
    "subscribers export": Command("-o people.csv", "-o .", "-o /dev/full"),
    "subscribers add": Command(
        "cy@example.org",
        "cy",
        more=(("subscribers add --segment", "--segment language==\"en\" --add-tag a"),),
    ),
    "subscribers list": Command("", "--status nobody"),
    "subscribers show": Command("ann@example.org", "nobody@example.org"),
    "subscribers unsubscribe": Command(
        "ann@example.org",
        "nobody@example.org",
        "--file mixed.csv",
        more=(("subscribers unsubscribe --file", "--file readers.csv"),),
    ),
    "subscribers suppress": Command(
        "ann@example.org",
        "ann",
        "--file mixed.csv",
        more=(("subscribers suppress --file", "--file readers.csv"),),
    ),
    "subscribers restore": Command(
        "back@example.org --reason called",
        "ann@example.org",
        more=(("subscribers restore --campaign", f"--campaign {SENT} --reason checked"),),
    ),
    "subscribers erase": Command("ann@example.org --yes", "ann@example.org"),
    "subscribers change-address": Command(
        "ann@example.org anna@example.org", "nobody@example.org a@example.org"
    ),
    "theme list": Command("", "email"),
    "theme export": Command("email/morning.mjml", "email/noon.mjml"),
    "theme new": Command("templates", "issues", "/proc/theme"),
}  # fmt: skip


def leaves() -> Iterator[tuple[str, Any]]:
    """Each command of the program, by its name on the command line."""

    def below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
        if not hasattr(command, "commands"):
            yield name, command.load()
            return
        for word, each in command.commands.items():
            yield from below(each, f"{name} {word}".strip())

    yield from below(program._command_group(), "")


def lay_out(root: Path) -> None:
    """Fills a workspace: issues (one is wrong), readers, a campaign that is sent and one that is left."""
    news = "items: [{title: Cranes stand still}]"
    for edition, text in (("morning", news), ("evening", news), ("feature", "body: The harbour rests.")):
        (root / f"issues/{edition}.yaml").write_text(
            f"edition: {edition}\ndate: 2026-11-21\nlanguage: en\n{text}\n", encoding="utf-8"
        )
    (root / "issues/broken.yaml").write_text("edition: morning\n", encoding="utf-8")
    (root / "readers.csv").write_text("email\nann@example.org\nben@example.org\n", encoding="utf-8")
    (root / "bounced.csv").write_text("email\nback@example.org\n", encoding="utf-8")
    (root / "mixed.csv").write_text("email\nann@example.org\nno address\n", encoding="utf-8")
    for words, status in (
        ("subscribers import readers.csv", 0),
        ("subscribers import bounced.csv --status bounced", 0),
        ("send issues/morning.yaml --yes", 0),
        (f"send issues/evening.yaml --yes --transport {_UNREACHABLE}", 1),
    ):
        ran = run(root, *words.split())
        assert ran.status == status, ran.err
