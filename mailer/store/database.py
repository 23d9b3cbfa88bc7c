"""Opens subscribers.db, and sets up what every connection needs: WAL, foreign keys, migrations.

The tables are described in `tables` and `steps`. SQL statements are only in `store`, `audience` and `spool`.
Every commit is synced to the disk (`synchronous=FULL`): if a power cut undid a committed claim, the message
would be sent twice. Times are UTC, ISO 8601 to the microsecond, and end in `Z`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from sqlite_utils import Database

from mailer.errors import MailerError, StoreError
from mailer.store.tables import migrations

__all__ = [
    "BUSY_SECONDS",
    "CACHE_KB",
    "address_hash",
    "check_writable",
    "clear_free_pages",
    "compact_database",
    "to_store_error",
    "has_tag",
    "open_read_connection",
    "open_store",
    "open_for_reading",
    "busy_timeout",
    "writing",
]

#: For how many seconds a writer waits for another one before it gives up.
BUSY_SECONDS = 30.0
#: SQLite's cache in KiB. A run reads the database in order, so a larger cache would not help it.
CACHE_KB = 4096

#: The number of pages that one statement overwrites.
_AT_ONCE = 250


def open_store(path: Path, *, busy_seconds: float = BUSY_SECONDS) -> Database:
    """Opens the database at `path` for writing. Creates a missing database, and migrates an older one.

    A writer waits up to `busy_seconds` for another writer. Raises StoreError, with advice for the operator,
    if the file is no database, or is read-only, locked or damaged.
    """
    _create_private_file(path)
    try:
        connection = sqlite3.connect(
            path, timeout=busy_seconds, isolation_level=None, check_same_thread=False
        )
        try:
            _switch_to_wal(connection, busy_seconds)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            db = _prepare_database(connection)
            if migrations.pending(db):
                _migrate(db)
            return db
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise to_store_error(error, path) from error


def open_read_connection(db: Database) -> Database:
    """Opens a second, read-only connection to the file of `db`, to be used and closed by another thread.

    Raises sqlite3.Error.
    """
    as_text = db.conn.text_factory
    db.conn.text_factory = bytes  # a path need not be UTF-8
    try:
        path = next(row[2] for row in db.conn.execute("PRAGMA database_list") if row[1] == b"main")
    finally:
        db.conn.text_factory = as_text
    connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only=ON")
    return _prepare_database(connection)


def open_for_reading(path: Path) -> Database:
    """Opens the database at `path` for a command that can work without writing.

    If neither the file nor its folder is writable, the returned database is read-only. While it is open, only
    processes that had the file open before may write to the file. Raises StoreError if the file is no
    database, or is locked or damaged, and for a read-only database of an earlier version.
    """
    try:
        return open_store(path)
    except StoreError as error:
        cause = error.__cause__
        if not (isinstance(cause, sqlite3.OperationalError) and _is_read_only_error(cause)):
            raise
        # With a log, part of what the database holds is there. It is read by its index, which a living
        # process keeps.
        logged = path.with_name(f"{path.name}-wal").exists()
        uri = f"{path.resolve().as_uri()}?mode=ro{'' if logged else '&immutable=1'}"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            db = _prepare_database(connection)
            pending = bool(migrations.pending(db))
        except sqlite3.Error:
            pending = True
        if pending:
            connection.close()
            raise
        return db


def _prepare_database(connection: sqlite3.Connection) -> Database:
    """Returns the database of a connection, with the settings and SQL functions that all statements rely on.

    With `secure_delete=FAST`, SQLite overwrites deleted or replaced content with zeros, except in pages that
    become free as a whole: to overwrite these, too, would slow an import by half. An erasure clears them
    (docs/decisions/014-what-an-erasure-covers.md).
    """
    connection.execute("PRAGMA secure_delete=FAST")
    connection.execute("PRAGMA temp_store=FILE")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")
    connection.create_function("address_hash", 1, address_hash, deterministic=True)
    connection.create_function("has_tag", 2, has_tag, deterministic=True)
    return Database(connection)


def _is_read_only_error(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY


def _create_private_file(path: Path) -> None:
    """Creates a database file that only its owner can read. SQLite gives its log the same permissions."""
    with suppress(OSError):  # it exists, or SQLite reports why it cannot be made
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _migrate(db: Database) -> None:
    """Migrates the database under the write lock, so that of two commands only one creates the tables.

    Foreign keys are off during the migration and checked at its end: a table that others refer to can only be
    rebuilt in this way (https://sqlite.org/lang_altertable.html#otheralter).
    """
    db.conn.execute("PRAGMA foreign_keys=OFF")
    with writing(db):
        migrations.apply(db)
        if db.conn.execute("PRAGMA foreign_key_check").fetchone():
            raise sqlite3.IntegrityError("a row refers to a row that does not exist")
    db.conn.execute("PRAGMA foreign_keys=ON")


def _switch_to_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switches the database to WAL, a journal mode of SQLite.

    Waits for other connections up to `busy_seconds`, because SQLite itself does not wait here.
    """
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= until:
                raise
            time.sleep(0.01)


def to_store_error(error: sqlite3.Error, path: Path | str) -> MailerError:
    """Returns a StoreError that explains an SQLite error to an operator in one sentence.

    `path` is the path of the database.
    """
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        advice = "another process is writing to the database; wait until it ends and run this command again"
    elif "readonly" in text or "read-only" in text:
        advice = "the database is read-only; allow this user to write the file and its folder"
    elif "full" in text or "disk i/o" in text:
        advice = (
            "the disk is full or failing; free some disk space and run this command again (nothing is lost)"
        )
    elif "not a database" in text or "malformed" in text:
        advice = "the file is damaged, or is no SQLite database; restore it from a backup"
    elif "unable to open" in text:
        advice = (
            "the database cannot be opened; check that its folder exists and that this user may write there"
        )
    else:
        advice = f"SQLite reports: {error}"
    return StoreError(f"{path}: {advice}")


def address_hash(address_key: str | None) -> str | None:
    """Returns the SHA-256 of a normalized address, which the suppression list stores in place of it.

    Returns None for None. SQL statements can call this function too.
    """
    return None if address_key is None else hashlib.sha256(address_key.encode()).hexdigest()


def has_tag(tags: str | bytes | None, folded_tag: str) -> bool:
    """Returns whether a JSON list of tags has the tag `folded_tag`, which must be casefolded.

    SQL statements can call this function too.
    """
    return folded_tag in _folded_tags(tags)


@lru_cache(maxsize=1024)
def _folded_tags(tags: str | bytes | None) -> frozenset[str]:
    try:
        found = json.loads(tags or "[]")
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(str(tag).casefold() for tag in found) if isinstance(found, list) else frozenset()


@contextmanager
def busy_timeout(db: Database, seconds: float) -> Iterator[None]:
    """Within the `with` block, lets a writer wait up to `seconds` for another writer before it fails."""
    (before,) = db.conn.execute("PRAGMA busy_timeout").fetchone()
    db.conn.execute(f"PRAGMA busy_timeout={round(seconds * 1000)}")
    try:
        yield
    finally:
        db.conn.execute(f"PRAGMA busy_timeout={before}")


@contextmanager
def writing(db: Database) -> Iterator[Database]:
    """Runs the `with` block in a write transaction, and commits it, or rolls it back after an error.

    The transaction takes the write lock at its start, and waits for other writers only then.
    """
    connection = db.conn
    if connection.in_transaction:
        with db.atomic():
            yield db
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield db
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def clear_free_pages(db: Database) -> None:
    """Overwrites the free pages of the database with zeros. The size of the file stays about the same."""
    db.conn.execute("PRAGMA secure_delete=ON")
    (size,) = db.conn.execute("PRAGMA page_size").fetchone()
    with writing(db):
        if not _count_free_pages(db):
            return
        # A new table takes the free pages first, and gives them back with nothing but zeros in them.
        db.conn.execute("CREATE TABLE free_pages (filler BLOB)")
        while (left := _count_free_pages(db)) > 0:
            db.conn.execute("INSERT INTO free_pages VALUES (zeroblob(?))", (min(left, _AT_ONCE) * size,))
        db.conn.execute("DROP TABLE free_pages")


def _count_free_pages(db: Database) -> int:
    return int(db.conn.execute("PRAGMA freelist_count").fetchone()[0])


def compact_database(db: Database) -> None:
    """Rewrites the whole database without its free pages. Other writers are locked out meanwhile.

    Raises sqlite3.Error.
    """
    db.conn.execute("VACUUM")


def check_writable(db: Database) -> None:
    """Commits a write that changes nothing. Raises sqlite3.Error if the database is not writable now.

    The write is synced to the disk like any other, so that a full disk is found, and not only a lock.
    """
    with writing(db):
        (version,) = db.conn.execute("PRAGMA user_version").fetchone()
        db.conn.execute(f"PRAGMA user_version={int(version)}")
