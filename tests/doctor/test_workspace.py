"""What can be judged without asking anybody."""

from __future__ import annotations

import pytest

from mailer.doctor import storage
from mailer.store import inspection
from tests.doctor.conftest import DOMAIN, World, lines


def told(world: World, name: str) -> tuple[str, str]:
    (check,) = [
        check for check in world.doctor("--offline", "--json").json["checks"] if check["name"] == name
    ]
    assert bool(check["advice"]) is (check["status"] != "ok")
    return check["status"], check["message"]


@pytest.mark.parametrize(
    ("keys", "status", "words"),
    [
        ("x7" * 20, "error", "can be guessed"),
        ("short-key", "error", "9 characters"),
        ("just-twenty-letters!", "warning", "only 20 characters"),
        ("correct-horse-battery-staple-0123456789,abc", "error", "a key in MAILER_SECRET_KEY is too short"),
        (
            "correct-horse-battery-staple-0123456789," + "abcdefgh" * 4,
            "ok",
            "older keys that are still accepted: 1",
        ),
        ("", "error", "is not set"),
    ],
)
def test_the_secret_key(
    world: World, monkeypatch: pytest.MonkeyPatch, keys: str, status: str, words: str
) -> None:
    monkeypatch.setenv("MAILER_SECRET_KEY", keys)
    found = told(world, "secret key")
    assert found[0] == status
    assert words in found[1]


def test_secrets_that_others_may_read(world: World) -> None:
    env = world.root / ".env"
    env.write_text("X=1\n")
    env.chmod(0o644)
    assert told(world, ".env") == ("warning", "other users of this machine can read the secrets in .env")
    env.chmod(0o600)
    assert told(world, ".env")[0] == "ok"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://news.harbour.alt", "is not https"),
        ("https://localhost:8000", "means this machine"),
        ("https://127.0.0.1", "means this machine"),
        ("https://10.1.2.3", "means this machine or a private network"),
        ("https://[::1]", "means this machine"),
        ("https://desk.local", "means this machine"),
        ("https://intranet", "means this machine"),
        ("https://news.example.org", "uses a domain that is reserved for examples"),
        ("http://localhost", "which readers cannot reach and is not https"),
    ],
)
def test_a_base_url_that_readers_cannot_use(world: World, url: str, words: str) -> None:
    world.configure("^base_url = .*", f'base_url = "{url}"')
    status, message = told(world, "base_url")
    assert status == "error"
    assert words in message


def test_a_sender_of_the_manual(world: World) -> None:
    assert told(world, "sender") == ("ok", f"mail is sent from desk@{DOMAIN}")
    world.configure("^transport", 'return_path = "b@news.example.com"\ntransport')
    status, message = told(world, "sender")
    assert status == "error"
    assert message.startswith("news.example.com is reserved for examples")


def test_the_postal_address(world: World) -> None:
    for address, status in (
        ("Berlin", "warning"),
        ("A Company, 1 Example Street, 12345 Exampletown", "error"),
    ):
        world.configure("^postal_address = .*", f'postal_address = "{address}"')
        assert told(world, "postal address")[0] == status


def test_a_transport_that_sends_nothing(world: World) -> None:
    world.configure("^transport = .*", 'transport = "outbox:outbox"')
    assert told(world, "transport") == (
        "warning",
        "outbox:outbox writes messages into a folder and sends nothing",
    )


def test_no_database_yet_is_not_made(world: World) -> None:
    path = world.root / "subscribers.db"
    path.unlink()
    assert told(world, "database")[0] == "warning"
    assert not path.exists()


def test_a_database_that_is_none_or_damaged(world: World) -> None:
    path = world.root / "subscribers.db"
    whole = path.read_bytes()
    path.write_bytes(b"not a database, but long enough to be read as one" * 100)
    assert told(world, "database")[0] == "error"
    # The second half of the file is overwritten: the header is sound, pages are not.
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * (len(whole) - len(whole) // 2))
    assert told(world, "database")[0] == "error"


def test_a_database_that_everybody_may_read(world: World) -> None:
    path = world.root / "subscribers.db"
    for mode, status in ((0o644, "warning"), (0o640, "ok"), (0o600, "ok")):
        path.chmod(mode)
        assert told(world, "database")[0] == status
    path.chmod(0o606)
    assert told(world, "database")[1] == "all users of this machine can read the readers' addresses"


def test_a_database_without_wal_or_tables(world: World) -> None:
    import sqlite3
    from contextlib import closing

    path = world.root / "subscribers.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    assert told(world, "database") == (
        "warning",
        "the database is not set up as mailer needs it: journal mode delete",
    )
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE x (y)")
    assert told(world, "database") == (
        "warning",
        "the database is not set up as mailer needs it: tables are missing",
    )


def test_a_database_that_cannot_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda _path, _mode: False)  # for root nothing is read-only
    assert told(world, "database") == ("error", "the database cannot be written")


def test_a_database_that_takes_too_long_is_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "_STEPS_BETWEEN_LOOKS", 1)
    (finding,) = storage.check_database(world.settings, seconds=-1.0)
    assert finding.status == "unknown"


@pytest.mark.parametrize(("free", "status"), [(50_000_000, "error"), (500_000_000, "warning"), (5e9, "ok")])
def test_room_on_the_disk(world: World, monkeypatch: pytest.MonkeyPatch, free: int, status: str) -> None:
    from collections import namedtuple

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _path: usage(10, 5, free))
    assert lines(storage.check_disk(world.settings))[0].split()[0] == status


def test_looking_leaves_no_trace(world: World) -> None:
    before = {path.name: path.read_bytes() for path in world.root.iterdir()}
    assert world.doctor().status == 0
    assert {path.name: path.read_bytes() for path in world.root.iterdir()} == before
