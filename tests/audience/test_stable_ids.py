"""Stable ids: who gets which, and whom a link of before may name."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from mailer.audience.consent.record import Consent
from mailer.audience.exchange.importer import import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.stable_ids import assign_missing_ids, stable_id_of_subscriber, subscriber_id_of_token
from mailer.audience.subscribers import add, erase
from mailer.audience.values.address import normalize_address
from mailer.config import Settings
from mailer.links.tokens import derive_stable_id
from mailer.links.urls import Purpose, Token, TokenCodec
from mailer.store.database import open_store
from mailer.store.tables import migrations

NOW = "2026-11-21T00:00:00.000000Z"
OLD = "INSERT INTO subscribers (address, address_key, joined_at, updated_at) VALUES (?, ?, '', '')"


def before(path: Path, *addresses: str, erased: int = 0) -> None:
    """A database as versions up to 0.3.0 left it."""
    with closing(sqlite3.connect(path)) as connection:
        migrations.apply(Database(connection), stop_before="m011_stable_ids")
        connection.executemany(OLD, [(a, a) for a in addresses])
        if erased:
            connection.execute(
                "UPDATE subscribers SET status = 'erased', address = NULL, address_key = NULL WHERE id = ?",
                (erased,),
            )
        connection.commit()


def added(db: Database, address: str) -> int:
    return add(db, normalize_address(address), consent=Consent(NOW, "import"))[0].id


def test_whoever_is_new_gets_eight_random_bytes(db: Database, tmp_path: Path) -> None:
    people = [added(db, f"reader{n}@example.org") for n in range(20)]
    ids = [stable_id_of_subscriber(db, person) for person in people]
    other = open_store(tmp_path / "other.db")
    ids += [stable_id_of_subscriber(other, added(other, f"reader{n}@example.org")) for n in range(20)]
    other.conn.close()
    assert len(set(ids)) == 40
    assert {len(one) for one in ids} == {8}
    for person, one in zip(people, ids, strict=False):
        assert subscriber_id_of_token(db, Token(Purpose.UNSUBSCRIBE, one, 0)) == person


def test_two_imports_of_one_list_give_different_ids(settings: Settings, tmp_path: Path) -> None:
    found: list[bytes] = []
    for name in ("one", "two"):
        db = open_store(tmp_path / f"{name}.db")
        rows = "".join(f"reader{n}@example.org\n" for n in range(50))
        (tmp_path / "list.csv").write_text("email\n" + rows)
        import_csv(db, settings, ListFile.at(tmp_path / "list.csv", settings))
        found += [row[0] for row in db.conn.execute("SELECT stable_id FROM subscribers")]
        db.conn.close()
    assert len(set(found)) == 100
    assert {len(one) for one in found} == {8}


def test_readers_of_before_get_the_same_ids_from_the_same_backup(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        path = tmp_path / f"{name}.db"
        before(path, "anna@example.org", "ben@example.org", "gone@example.org", erased=3)
        db = open_store(path)
        assign_missing_ids(db, "oldest")
        assign_missing_ids(db, "another")  # once is enough
        found.append([stable_id_of_subscriber(db, number) for number in (1, 2, 3)])
        assert subscriber_id_of_token(db, Token(Purpose.UNSUBSCRIBE, found[-1][1], 0)) == 2
        db.conn.close()
    assert (
        found[0][:2]
        == found[1][:2]
        == [
            derive_stable_id("oldest", "anna@example.org"),
            derive_stable_id("oldest", "ben@example.org"),
        ]
    )
    assert found[0][2] != found[1][2]  # of an erased reader there is nothing to make it of


def test_a_link_of_before_names_those_who_were_there_and_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "subscribers.db"
    before(path, "anna@example.org", "ben@example.org")
    db = open_store(path)
    late = added(db, "late@example.org")
    assert late == 3
    assert subscriber_id_of_token(db, Token(Purpose.UNSUBSCRIBE, b"", 0, 2)) == 2
    for number in (3, 4, 0, 2**63, 2**64 - 1):
        assert subscriber_id_of_token(db, Token(Purpose.UNSUBSCRIBE, b"", 0, number)) is None
    db.conn.close()


def test_in_a_new_database_a_link_of_before_names_nobody(db: Database) -> None:
    added(db, "anna@example.org")
    assert subscriber_id_of_token(db, Token(Purpose.UNSUBSCRIBE, b"", 0, 1)) is None


def test_an_erased_reader_is_still_known_by_their_id(db: Database) -> None:
    person = added(db, "anna@example.org")
    stable_id = stable_id_of_subscriber(db, person)
    erase(db, person)
    assert subscriber_id_of_token(db, Token(Purpose.UNSUBSCRIBE, stable_id, 0)) == person


def test_somebody_with_the_same_id_by_chance_gets_another(tmp_path: Path) -> None:
    path = tmp_path / "subscribers.db"
    before(path, "anna@example.org")
    db = open_store(path)
    db.conn.execute(
        "INSERT INTO subscribers (address, address_key, joined_at, updated_at, stable_id) "
        "VALUES ('x', 'x', '', '', ?)",
        (derive_stable_id("k", "anna@example.org"),),
    )
    assign_missing_ids(db, "k")
    assert len({stable_id_of_subscriber(db, number) for number in (1, 2)}) == 2
    db.conn.close()


def test_numbers_return_with_an_old_backup_and_links_do_not(tmp_path: Path) -> None:
    """After the backup was restored, another reader has the number; the link is not theirs."""
    path, backup = tmp_path / "subscribers.db", tmp_path / "backup.db"
    db = open_store(path)
    added(db, "anna@example.org")
    db.conn.execute("VACUUM INTO ?", (str(backup),))
    tokens = TokenCodec(("k",))
    first = added(db, "ben@example.org")
    link = tokens.make(Purpose.UNSUBSCRIBE, stable_id_of_subscriber(db, first), 1)
    db.conn.close()
    restored = open_store(backup)
    second = added(restored, "carla@example.org")
    assert second == first
    token = tokens.read(link, Purpose.UNSUBSCRIBE)
    assert token is not None
    assert subscriber_id_of_token(restored, token) is None
    restored.conn.close()
