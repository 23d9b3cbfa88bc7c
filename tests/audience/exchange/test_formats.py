"""The exports of each tool: who stays away, since when people are here, and the table of it in the docs."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from mailer.audience.consent.record import consents_of
from mailer.audience.exchange.columns.options import options_of_command
from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.exchange.report import ImportReport
from mailer.audience.people import find
from mailer.config import Settings
from mailer.errors import AudienceError
from mailer.store.database import open_store

Load = Callable[..., ImportReport]
Format = dict[str, Any]

FORMATS: list[Format] = tomllib.loads(Path(__file__).with_name("formats.toml").read_text("utf-8"))["format"]
NAMES = [kind["name"] for kind in FORMATS]
DOCUMENT = Path(__file__).parents[3] / "docs/audience.md"
BEGIN, END = "<!-- formats: made by tests/audience/exchange/test_formats.py -->", "<!-- end of formats -->"
STATUSES = ("active", "unsubscribed", "bounced", "complained", "pending")


def delimiter(kind: Format) -> str:
    return next(mark for mark in "\t;," if mark in kind["header"])


def text_of(kind: Format, *, bom: str = "", end: str = "\n") -> str:
    return bom + end.join([kind["header"], *(row["row"] for row in kind["rows"])]) + end


def address(kind: Format, row: str) -> str:
    cells = next(csv.reader([row], delimiter=delimiter(kind)))
    return next(cell for cell in cells if cell.endswith("@example.org"))


def check(db: Database, kind: Format) -> None:
    for row in kind["rows"]:
        person = find(db, address(kind, row["row"]))
        assert person is not None
        assert (person.address, person.status) == (person.address, row["is"])
        assert bool(consents_of(db, person.id)) is (row["is"] == "active")


@pytest.mark.parametrize("kind", FORMATS, ids=NAMES)
def test_a_tools_export_is_read_as_that(db: Database, load: Load, kind: Format) -> None:
    report = load(text_of(kind))
    assert (report.profile, report.read_as) == (kind["profile"], kind["says"])
    assert report.count("refused") == 0
    check(db, kind)
    first = find(db, address(kind, kind["rows"][0]["row"]))
    assert first is not None
    name, *tags = kind["person"]
    assert first.name == name
    assert [tag.strip('"') for tag in first.tags] == tags
    if "joined" in kind:
        assert first.joined_at[:10] in (
            kind["joined"],
            f"{kind['joined'][:8]}{int(kind['joined'][8:]) - 1:02}",
        )
        consents = consents_of(db, first.id)
        if first.status == "active":
            assert [consent.given_at for consent in consents] == [first.joined_at]
            assert (consents[0].method, consents[0].origin) == ("import", "list.csv")


@pytest.mark.parametrize("kind", FORMATS, ids=NAMES)
def test_a_tools_export_is_read_in_other_shapes_too(db: Database, load: Load, kind: Format) -> None:
    """Saved from a spreadsheet: a mark, semicolons, other case, columns in another order, spaces in cells."""
    rows = list(csv.reader(io.StringIO(text_of(kind)), delimiter=delimiter(kind)))
    order = list(range(len(rows[0])))[::-1]
    names = [name.upper() if number % 2 else name.lower() for number, name in enumerate(rows[0])]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([names[place] for place in order])
    for row in rows[1:]:
        writer.writerow([f"{row[place]} " if row[place] else "" for place in order])
    report = load("\ufeff" + out.getvalue())
    assert report.profile == kind["profile"]
    assert report.count("refused") == 0
    check(db, kind)


@pytest.mark.parametrize("kind", FORMATS, ids=NAMES)
def test_a_list_read_as_plain_makes_nobody_active_who_left(db: Database, load: Load, kind: Format) -> None:
    with contextlib.suppress(AudienceError):
        load(text_of(kind), options=options_of_command(tool="plain"))
    for row in kind["rows"]:
        person = find(db, address(kind, row["row"]))
        if row["is"] in ("unsubscribed", "bounced", "complained") and "everybody" not in row.get("shows", ""):
            assert person is None or person.status != "active"


@pytest.mark.parametrize("profile", sorted({kind["profile"] for kind in FORMATS}))
def test_a_tool_can_be_named(db: Database, load: Load, profile: str) -> None:
    kind = next(kind for kind in FORMATS if kind["profile"] == profile)
    report = load(text_of(kind), options=options_of_command(tool=profile.partition("_")[0].title()))
    assert report.profile == profile
    check(db, kind)


def table() -> str:
    """The table of docs/audience.md, as the formats here have it."""
    heads = ["Export", "active", "left", "bounced", "complained", "pending", "joined", "tags", "name"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for kind in FORMATS:
        cells = [kind["name"]]
        for status in STATUSES:
            rows = [row for row in kind["rows"] if row["is"] == status]
            shown = next((row["shows"] for row in rows if "shows" in row), "everybody" if rows else "")
            cells.append(shown)
        cells += [_code(kind.get(key, "")) for key in ("dates", "tags", "names")]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _code(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", ")) if names else ""


def test_the_table_in_the_docs_is_that_of_the_formats() -> None:
    document = DOCUMENT.read_text("utf-8")
    before, _, rest = document.partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("WRITE_DOCS"):
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", "utf-8")
    else:
        assert written.strip() == table(), "run this test with WRITE_DOCS=1"


WORDS = """
yes no true false TRUE FALSE 1 0 是 否 Ja Nein oui non 2024-01-02 active inactive unsubscribed Unsubscribed
bounced complained cancelled pending cleaned 已取消 正常 退订 SPAM NORMAL blocklisted enabled disabled
Subscribed regular
"""
# What may stand in any cell: what tools write, in forms of it, and what they do not write.
CELLS = st.one_of(
    st.sampled_from(WORDS.split()),
    st.sampled_from(
        ["", " ", "NULL", r"\N", "2024-01-02 10:00:00", "24-03-2023 10:23:10", "never", "maybe", "x"]
    ),
    st.text(max_size=12),
)


@st.composite
def lists(draw: st.DrawFn) -> tuple[Format, list[list[str]], list[int]]:
    """A format, its header as cells, and columns to leave out."""
    kind = draw(st.sampled_from(FORMATS))
    header = next(csv.reader([kind["header"]], delimiter=delimiter(kind)))
    rows = [[draw(CELLS) for _ in header] for _ in range(draw(st.integers(1, 3)))]
    left_out = draw(st.lists(st.integers(0, len(header) - 1), max_size=4))
    return kind, [header, *rows], left_out


# For the property: what is a sign of leaving, said again without the code that is tested.
SIGNS = {
    **dict.fromkeys(("UNSUB_TIME", "CLEAN_TIME", "UNSUB_REASON", "deleted_at", "unsubscribed_at"), "time"),
    **dict.fromkeys(("Unsubscribed", "unsubscription_date", "undeliverability_date", "退订时间"), "time"),
    **dict.fromkeys(("email_disabled", "BLOCKLISTED", "Is this user blacklisted", "是否退订"), "yes"),
    **dict.fromkeys(("subscribed_to_emails", "Accepts Email Marketing", "Is this user confirmed"), "no"),
    **dict.fromkeys(("status", "Status", "state", "type", "EMAIL_MARKETING", "订阅状态"), "word"),
    "Email Marketing Status": "word",
}
GONE = {*["inactive", "unsubscribed", "bounced", "complained", "cancelled", "cleaned", "已取消", "退订"]}
GONE |= {"spam", "blocklisted", "disabled", "pending"}
ADDRESSES = (
    "E-mail 1 - Value",
    "E-mail Address",
    "Email Address",
    "email_address",
    "Email",
    "email",
    "EMAIL",
    "Subscriber",
    "邮箱",
    "电子邮件地址",
)
YES = {"yes", "true", "1", "是", "ja", "oui"}
NO = {"no", "false", "0", "否", "nein", "non"}


def leaves(column: str, cell: str) -> bool:
    """Does the cell say, beyond doubt, that the person has left or is not confirmed?"""
    word, how = cell.strip().casefold(), SIGNS.get(column, "")
    if how == "time":
        return word[:4] in ("2024", "24-0")
    return (
        (how == "yes" and word in YES)
        or (how == "no" and word in NO)
        or (how in ("yes", "no", "word") and word in GONE)
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(lists())
def test_nobody_whose_row_says_that_they_left_becomes_active(
    settings: Settings, workspace: Path, made: tuple[Format, list[list[str]], list[int]]
) -> None:
    _, (header, *rows), left_out = made
    places = [place for place in range(len(header)) if place not in left_out]
    address_place = next(header.index(name) for name in ADDRESSES if name in header)
    places = sorted({*places, address_place})
    for number, row in enumerate(rows):
        row[address_place] = f"r{number}@example.org"
    with (workspace / "list.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([header[place] for place in places])
        writer.writerows([row[place] for place in places] for row in rows)
    db = open_store(workspace / "one.db")
    db.conn.execute("DELETE FROM events")
    db.conn.execute("DELETE FROM subscribers")
    try:
        import_csv(db, settings, ListFile.at(workspace / "list.csv", settings))
    except AudienceError:
        assert db.conn.execute("SELECT count(*) FROM subscribers").fetchone()[0] == 0
    for number, row in enumerate(rows):
        if any(leaves(header[place], row[place]) for place in places if place != address_place):
            person = find(db, f"r{number}@example.org")
            assert person is None or person.status != "active", dict(zip(header, row, strict=True))
    db.close()
