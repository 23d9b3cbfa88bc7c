from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.clock import utc_now
from mailer.errors import StoreError
from mailer.store import database as store
from mailer.store.database import (
    address_hash,
    busy_timeout,
    clear_free_pages,
    open_for_reading,
    open_store,
    to_store_error,
    writing,
)
from mailer.store.tables import migrations
from tests.faults.conftest import bound_by_permissions

OPEN = (
    "import sys; from pathlib import Path; from mailer.store.database import open_store; "
    "open_store(Path(sys.argv[1]))"
)


def insert(connection: sqlite3.Connection, key: str) -> None:
    connection.execute("INSERT INTO suppressions VALUES (?, 'x', 'now')", (key,))


def insert_and_fail(db: Database, key: str) -> None:
    with writing(db):
        insert(db.conn, key)
        raise ZeroDivisionError


def suppressed(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        keys = [row[0] for row in connection.execute("SELECT address_hash FROM suppressions ORDER BY 1")]
    connection.close()
    return keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "subscribers.db"


def test_a_new_database_has_every_table_and_is_safe_against_power_cuts(path: Path) -> None:
    db = open_store(path)
    assert {
        "subscribers", "subscriptions", "consents", "suppressions", "campaigns", "deliveries", "events",
    } <= set(db.table_names())  # fmt: skip
    pragmas = {
        name: db.conn.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    db.close()


def test_opening_again_migrates_nothing(path: Path) -> None:
    open_store(path).close()
    db = open_store(path)
    assert not migrations.pending(db)
    assert db.conn.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()[0] == len(
        migrations.applied(db)
    )
    db.close()


def test_an_older_database_is_migrated_and_keeps_its_people(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_migrations", migrations._migrations[:1])
        old = open_store(path)
        assert "campaigns" not in old.table_names()
        insert(old.conn, "kept")
        old.close()
    db = open_store(path)
    assert "campaigns" in db.table_names()
    db.close()
    assert suppressed(path) == ["kept"]


def test_campaigns_are_rebuilt_with_what_refers_to_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_migrations", migrations._migrations[:2])
        old = open_store(path)
        for slug, status in (("a", "sent"), ("b", "paused")):
            old.conn.execute(
                "INSERT INTO campaigns (slug, issue, issue_hash, edition, issue_date, segment, plan_hash, "
                "plan, subject, transport, status, status_note, created_at, started_at) VALUES "
                "(?, 'i', 'h', 'morning', '2026-11-21', 's', 'p', '{}', 'S', 't', ?, 'n', 'c', 'st')",
                [slug, status],
            )
        old.conn.execute("DELETE FROM campaigns WHERE slug = 'a'")
        old.conn.execute(
            "INSERT INTO subscribers (address, address_key, joined_at, updated_at) "
            "VALUES ('x', 'x', 'j', 'u')"
        )
        old.conn.execute(
            "INSERT INTO deliveries (campaign_id, subscriber_id, state) VALUES (2, 1, 'accepted')"
        )
        old.conn.execute(
            "INSERT INTO events (at, kind, subscriber_id, campaign_id) VALUES ('t', 'bounce', 1, 2)"
        )
        old.close()
    db = open_store(path)
    row = "id, slug, segment, status, status_note, started_at, due_at, local_time, canary, held_until"
    assert db.conn.execute(f"SELECT {row} FROM campaigns").fetchall() == [
        (2, "b", "s", "paused", "n", "st", "", "", "", "")
    ]
    joined = "SELECT slug, state, kind FROM campaigns AS c JOIN deliveries AS d ON d.campaign_id = c.id JOIN"
    assert db.conn.execute(f"{joined} events AS e ON e.campaign_id = c.id").fetchall() == [
        ("b", "accepted", "bounce")
    ]
    assert db.conn.execute("PRAGMA foreign_keys").fetchone() == (1,)
    for table in ("deliveries", "events"):
        assert "campaigns" in {row[2] for row in db.conn.execute(f"PRAGMA foreign_key_list({table})")}
    with pytest.raises(sqlite3.IntegrityError):
        db.conn.execute("DELETE FROM campaigns")
    for status in ("scheduled", "held", "missed"):
        db.conn.execute("UPDATE campaigns SET status = ?", [status])
    with pytest.raises(sqlite3.IntegrityError):
        db.conn.execute("UPDATE campaigns SET status = 'lost'")
    assert "campaigns_edition" in {row[1] for row in db.conn.execute("PRAGMA index_list(campaigns)")}
    db.close()


def test_a_migration_that_loses_a_row_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_migrations", migrations._migrations[:2])
        old = open_store(path)
        old.conn.execute("PRAGMA foreign_keys=OFF")
        old.conn.execute("INSERT INTO deliveries (campaign_id, subscriber_id) VALUES (7, 7)")
        old.close()
    with pytest.raises(StoreError, match="a row refers to a row that does not exist"):
        open_store(path)
    with sqlite3.connect(path) as connection:
        columns = {row[1] for row in connection.execute("PRAGMA table_info(campaigns)")}
    connection.close()
    assert "due_at" not in columns


def test_first_commands_at_once_make_the_tables_once(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(store.__file__).parents[1])}
    processes = [
        subprocess.Popen([sys.executable, "-c", OPEN, str(path)], stderr=subprocess.PIPE, env=environment)
        for _ in range(4)
    ]
    for process in processes:
        assert process.communicate(timeout=60)[1] == b""
        assert process.returncode == 0


def test_a_failed_migration_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(db: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(migrations._migrations[1], "fn", broken)
        with pytest.raises(StoreError, match="the disk is full or failing"):
            open_store(path)
    db = open_store(path)
    assert "campaigns" in db.table_names()
    db.close()


def test_the_database_knows_the_hash_of_an_address(path: Path) -> None:
    db = open_store(path)
    expected = hashlib.sha256(b"li@example.org").hexdigest()
    assert address_hash("li@example.org") == expected
    assert db.conn.execute("SELECT address_hash('li@example.org'), address_hash(NULL)").fetchone() == (
        expected,
        None,
    )
    assert address_hash(None) is None
    db.close()


def test_times_sort_as_texts() -> None:
    first = utc_now()
    assert len(first) == 27
    assert first.endswith("Z")
    assert first <= utc_now()


def test_a_write_is_whole_or_not_at_all(path: Path) -> None:
    db = open_store(path)
    with writing(db):
        insert(db.conn, "a")
    with pytest.raises(ZeroDivisionError):
        insert_and_fail(db, "b")
    assert not db.conn.in_transaction
    db.close()
    assert suppressed(path) == ["a"]


def test_a_write_within_a_write_may_fail_alone(path: Path) -> None:
    db = open_store(path)
    with writing(db):
        insert(db.conn, "a")
        with writing(db):
            insert(db.conn, "b")
        with pytest.raises(ZeroDivisionError):
            insert_and_fail(db, "c")
    db.close()
    assert suppressed(path) == ["a", "b"]


def test_a_transaction_that_sqlite_ended_is_not_rolled_back_twice(path: Path) -> None:
    db = open_store(path)
    db.conn.execute(
        "CREATE TRIGGER stop BEFORE INSERT ON suppressions BEGIN SELECT RAISE(ROLLBACK, 'no more'); END"
    )
    with pytest.raises(sqlite3.IntegrityError, match="no more"), writing(db):
        insert(db.conn, "a")
    assert not db.conn.in_transaction
    db.close()


def test_a_writer_gives_up_after_its_time(path: Path) -> None:
    first, second = open_store(path), open_store(path, busy_seconds=0.05)
    with writing(first):
        insert(first.conn, "a")
        with pytest.raises(sqlite3.OperationalError) as caught, writing(second):
            raise AssertionError("two writers at once")
        assert "another process is writing to the database; wait until it ends" in str(
            to_store_error(caught.value, "subscribers.db")
        )
    first.close()
    second.close()


def test_a_database_that_somebody_holds_is_told_at_opening(path: Path) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(
        StoreError, match="another process is writing to the database; wait until it ends and run this"
    ):
        open_store(path, busy_seconds=0.05)
    holder.close()


def test_what_is_no_database_is_told(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to look at" * 20)
    with pytest.raises(StoreError) as caught:
        open_store(path)
    assert (
        str(caught.value)
        == f"{path}: the file is damaged, or is no SQLite database; restore it from a backup"
    )
    assert caught.value.exit_status == 1
    assert path.read_bytes().startswith(b"not a database")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the database cannot be opened; check that its folder exists"):
        open_store(tmp_path / "nowhere" / "subscribers.db")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            "attempt to write a readonly database",
            "the database is read-only; allow this user to write the file and its folder",
        ),
        ("database or disk is full", "free some disk space and run this command again (nothing is lost)"),
        ("disk I/O error", "the disk is full or failing"),
        ("database disk image is malformed", "restore it from a backup"),
        ("something else", "SQLite reports: something else"),
    ],
)
def test_what_sqlite_says_is_told_with_what_to_do(said: str, sentence: str) -> None:
    error = to_store_error(sqlite3.OperationalError(said), "subscribers.db")
    assert str(error).startswith("subscribers.db: ")
    assert sentence in str(error)


def test_a_new_database_is_its_owners_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        db = open_store(path)
        insert(db.conn, "x")
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        db.conn.close()
    finally:
        os.umask(before)
    assert modes == dict.fromkeys((path.name, f"{path.name}-wal", f"{path.name}-shm"), 0o600)


def test_the_permissions_of_a_database_stay_as_they_were_set(path: Path) -> None:
    open_store(path).conn.close()
    path.chmod(0o660)
    open_store(path).conn.close()
    assert path.stat().st_mode & 0o777 == 0o660


def read_only(path: Path) -> Database:
    """Opens `path` to be read, while neither the file nor its folder may be written."""
    with bound_by_permissions():
        path.chmod(0o444)
        path.parent.chmod(0o555)
        try:
            return open_for_reading(path)
        finally:
            path.parent.chmod(0o755)
            path.chmod(0o644)


def test_a_read_only_database_can_be_read(path: Path) -> None:
    db = open_store(path)
    insert(db.conn, "kept")
    db.close()
    db = read_only(path)
    assert db.conn.execute("SELECT address_hash FROM suppressions").fetchall() == [("kept",)]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        insert(db.conn, "more")
    db.close()


def test_a_read_only_database_of_an_earlier_version_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_migrations", migrations._migrations[:2])
        open_store(path).close()
    with pytest.raises(StoreError, match="the database is read-only"):
        read_only(path)


def test_a_read_only_database_is_not_read_without_its_log(path: Path) -> None:
    open_store(path).close()
    path.with_name("subscribers.db-wal").write_bytes(b"")
    with pytest.raises(StoreError):
        read_only(path)


def test_a_read_only_database_is_read_beside_a_process_that_has_it_open(path: Path) -> None:
    living = open_store(path)
    insert(living.conn, "in the log")
    assert path.with_name("subscribers.db-wal").stat().st_size
    db = read_only(path)
    assert db.conn.execute("SELECT address_hash FROM suppressions").fetchall() == [("in the log",)]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        insert(db.conn, "more")
    db.close()
    living.close()


def test_a_file_that_is_no_database_is_told_to_who_only_reads(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="the file is damaged, or is no SQLite database"):
        open_for_reading(path)


def test_a_shorter_wait_holds_within_only(path: Path) -> None:
    db = open_store(path, busy_seconds=7.0)

    def waits() -> int:
        return int(db.conn.execute("PRAGMA busy_timeout").fetchone()[0])

    with busy_timeout(db, 0.25):
        assert waits() == 250
    assert waits() == 7000
    db.close()


@pytest.mark.parametrize("pages", [0, 1, 3, 700])
def test_free_pages_are_overwritten(path: Path, pages: int) -> None:
    db = open_store(path)
    db.conn.execute("PRAGMA secure_delete=OFF")
    db.conn.execute("CREATE TABLE old (note TEXT)")
    db.conn.executemany("INSERT INTO old VALUES (?)", [("what was " * 450,)] * pages)
    db.conn.execute("DROP TABLE old")
    db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert (b"what was what" in path.read_bytes()) == bool(pages)
    size = path.stat().st_size
    clear_free_pages(db)
    db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"what was" not in path.read_bytes()
    assert path.stat().st_size <= size + 300 * 4096
    assert db.conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert "free_pages" not in db.table_names()
    db.close()


def test_words_about_people_who_were_erased_before_are_cleared(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_migrations", migrations._migrations[:9])
        old = open_store(path)
        old.conn.executescript("""
            INSERT INTO subscribers (id, address, address_key, status, joined_at, updated_at) VALUES
                (1, NULL, NULL, 'erased', '', ''), (2, 'b@example.org', 'b@example.org', 'active', '', '');
            INSERT INTO campaigns (id, slug, issue, issue_hash, edition, issue_date, plan_hash, plan, subject,
                transport, created_at) VALUES (1, 'x', '', '', '', '', '', '{}', '', '', '');
            INSERT INTO campaigns (id, slug, issue, issue_hash, edition, issue_date, plan_hash, plan, subject,
                transport, created_at) VALUES (2, 'y', '', '', '', '', '', '{}', '', '', '');
            INSERT INTO deliveries (campaign_id, subscriber_id, state, provider_id, reason) VALUES
                (1, 1, 'accepted', '<ann@example.org> x1 Saved', 'ann@example.org'),
                (1, 2, 'accepted', '<b@example.org> Saved', ''), (2, 1, 'accepted', 'queued as Q9', '');
            INSERT INTO consents (subscriber_id, given_at, method) VALUES
                (1, '', 'import'), (1, '', 'wrote from ann@example.org'), (2, '', 'by phone');
            """)
        old.close()
    db = open_store(path)
    rows = db.conn.execute("SELECT provider_id, reason FROM deliveries ORDER BY campaign_id, subscriber_id")
    assert rows.fetchall() == [("", ""), ("<b@example.org> Saved", ""), ("queued as Q9", "")]
    methods = db.conn.execute("SELECT method FROM consents ORDER BY id")
    assert methods.fetchall() == [("import",), ("",), ("by phone",)]
    db.close()
    assert b"ann@example" not in path.read_bytes()
