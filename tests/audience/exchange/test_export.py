from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from mailer.audience.exchange.exporter import export_csv
from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.exchange.rows.formula_cells import escape_formula, unescape_formula
from mailer.audience.people import Subscriber, list_subscribers
from mailer.audience.subscribers import erase
from mailer.audience.values.cells import attribute_value, clean_line
from mailer.config import Settings
from mailer.errors import AudienceError
from mailer.store.database import open_store

Add = Callable[..., Subscriber]


def exported(db: Database, **wanted: Any) -> str:
    file = io.StringIO(newline="")
    export_csv(db, file, **wanted)
    return file.getvalue()


def people(db: Database) -> list[tuple[Any, ...]]:
    return [
        (
            p.address,
            p.name,
            p.language,
            p.timezone,
            p.tags,
            dict(p.attributes),
            p.status,
            p.joined_at,
            p.editions,
        )
        for p in list_subscribers(db)
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''=1"])
def test_a_cell_that_looks_like_a_formula_is_guarded_and_read_back(text: str) -> None:
    assert escape_formula(text) == "'" + text
    assert unescape_formula(escape_formula(text)) == text


@pytest.mark.parametrize("text", ["", "a", "'a", "''", "1=1", "'"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert escape_formula(text) == text == unescape_formula(text)


@given(st.text(alphabet="'=+-@\t\ra1"))
def test_guarding_always_comes_undone(text: str) -> None:
    assert unescape_formula(escape_formula(text)) == text
    assert not escape_formula(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_an_export_holds_everybody_but_the_erased(db: Database, person: Add) -> None:
    person("+tag@example.org", "morning", name="=cmd|' /C calc'!A0", tags=("a", "b"), attributes={"k": 5})
    person("left@example.org", status="unsubscribed")
    erase(db, person("gone@example.org").id)
    rows = list(csv.DictReader(io.StringIO(exported(db))))
    assert [row["address"] for row in rows] == ["'+tag@example.org", "left@example.org"]
    assert rows[0]["name"] == "'=cmd|' /C calc'!A0"
    assert (rows[0]["tags"], rows[0]["editions"], rows[0]["attributes.k"]) == ("a;b", "morning", "5")
    assert (rows[0]["consent_method"], rows[0]["consent_origin"]) == ("web", "sign-up page")
    assert rows[1]["status"] == "unsubscribed"


def test_an_export_can_be_of_some(db: Database, person: Add) -> None:
    person("a@example.org", "morning")
    person("b@example.org", "evening", status="bounced")
    erase(db, person("gone@example.org").id)
    assert "b@example.org" not in exported(db, edition="morning")
    assert "a@example.org" not in exported(db, status="bounced")
    assert exported(db, status="erased").count("\n") == 1


LINE = st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("=+-@'\",;|\n")), max_size=30)


def cleaned(clean: Callable[[str], str], text: str) -> str:
    try:
        return clean(text)
    except AudienceError:
        return ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            LINE, LINE, st.sampled_from(["active", "pending", "unsubscribed", "bounced", "complained"])
        ),
        min_size=1,
        max_size=4,
    )
)
def test_an_export_is_imported_elsewhere_as_it_was(
    settings: Settings,
    workspace: Path,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
) -> None:
    folder = tmp_path_factory.mktemp("trip")
    first, second = open_store(folder / "first.db"), open_store(folder / "second.db")
    for number, (name, value, status) in enumerate(rows):
        tags = [tag for tag in (cleaned(clean_line, name), cleaned(clean_line, value)) if tag]
        first.table("subscribers").insert(
            {
                "address": f"'+{number}@example.org",
                "address_key": f"'+{number}@example.org",
                "domain": "example.org",
                "name": cleaned(clean_line, name),
                "attributes": {"My Key": cleaned(lambda text: attribute_value(text, "k"), value)}
                if value.strip()
                else {},
                "tags": json.dumps(list({tag.casefold(): tag for tag in tags}.values())),
                "status": status,
                "joined_at": "2026-01-01T00:00:00.000001Z",
                "updated_at": "2026-01-01T00:00:00.000001Z",
            }
        )
    first.conn.execute("UPDATE subscribers SET attributes = '{}' WHERE attributes = '{\"My Key\": \"\"}'")
    path = folder / "list.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        export_csv(first, file)
    report = import_csv(second, settings, ListFile.at(path, settings))
    assert report.count("added") == len(rows)
    assert people(second) == people(first)
    again = import_csv(first, settings, ListFile.at(path, settings))
    assert again.count("unchanged") == len(rows)
    first.close()
    second.close()
