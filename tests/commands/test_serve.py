"""`mailer serve` as an operator starts it: a process, a port, an end."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailer.audience.consent.record import Consent
from mailer.audience.stable_ids import stable_id_of_subscriber
from mailer.audience.subscribers import add, get
from mailer.audience.values.address import normalize_address
from mailer.clock import utc_now
from mailer.commands.workspace import serve
from mailer.config import load_settings
from mailer.links.urls import Purpose, TokenCodec
from mailer.store.database import open_store
from tests.cli import Ran, run

ROOT = Path(__file__).parents[2]


class Served:
    """A running `mailer serve`, its address taken from what it printed."""

    def __init__(self, workspace: Path, *words: str) -> None:
        command = [sys.executable, str(ROOT / "cli.py"), "serve", "--port", "0", *words]
        self.process = subprocess.Popen(
            command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        found = re.search(r"http://\S+", self.line)
        assert found, self.process.communicate(timeout=20)
        self.address = found[0]

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, str]:
        with urllib.request.urlopen(self.address + path, body, timeout=20) as answer:
            return answer.status, answer.read().decode()

    def end(self, number: signal.Signals) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.fixture
def served(workspace: Path) -> Iterator[Served]:
    served = Served(workspace)
    yield served
    served.process.kill()
    served.process.communicate()


def test_readers_leave_over_a_real_socket_and_ctrl_c_ends_it(workspace: Path, served: Served) -> None:
    assert served.line.startswith("Serving Harbour Brief on http://127.0.0.1:")
    settings = load_settings(workspace)
    db = open_store(settings.database)
    tokens = TokenCodec(settings.signing_keys())
    people = [
        add(
            db,
            normalize_address(f"reader{n}@example.org"),
            consent=Consent("", "import"),
            editions=["morning"],
        )
        for n in range(8)
    ]
    links = [
        f"/u/{tokens.make(Purpose.UNSUBSCRIBE, stable_id_of_subscriber(db, person.id))}"
        for person, _ in people
    ]
    assert served.ask(links[0])[0] == 200
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda link: served.ask(link, b"List-Unsubscribe=One-Click"), links * 2))
    assert {status for status, _ in answers} == {200}
    assert {person.status for number, _ in people if (person := get(db, number.id))} == {"unsubscribed"}
    assert db.conn.execute("SELECT count(*) FROM events").fetchone() == (8,)
    db.conn.close()
    status, out, err = served.end(signal.SIGINT)
    assert (status, out, err) == (0, "", "")


def test_sigterm_ends_it_too_and_the_log_has_the_beginning_of_a_token(served: Served) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        served.ask("/u/some-token", b"")
    with refused.value as answer:
        assert answer.code == 404
    status, out, err = served.end(signal.SIGTERM)
    assert (status, out) == (0, "")
    assert "a link (some-t…) cannot be read" in err
    assert "some-token" not in err
    assert err.count("\n") == 1


def test_a_post_in_absolute_form_is_answered(served: Served, workspace: Path) -> None:
    """RFC 9112 section 3.2.2: every server has to take `POST http://host/path`."""
    settings = load_settings(workspace)
    db = open_store(settings.database)
    person, _ = add(db, normalize_address("anna@example.org"), consent=Consent("", "import"))
    token = TokenCodec(settings.signing_keys()).make(
        Purpose.UNSUBSCRIBE, stable_id_of_subscriber(db, person.id)
    )
    connection = http.client.HTTPConnection(served.address.removeprefix("http://"), timeout=20)
    connection.request(
        "POST", f"http://news.example.org/u/{token}?utm_source=x", b"List-Unsubscribe=One-Click"
    )
    answer = connection.getresponse()
    assert (answer.status, b"You are unsubscribed" in answer.read()) == (200, True)
    connection.close()
    left = get(db, person.id)
    assert left is not None
    assert left.status == "unsubscribed"
    db.conn.close()


def test_a_port_in_use_is_one_sentence(workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run(workspace, "serve", "--port", str(port))
    assert ran.status == 1
    assert ran.err == (
        f"mailer: cannot listen on 127.0.0.1 port {port}: address already in use; stop the program "
        "that uses it, or choose another port with --port\n"
    )


def test_a_host_that_is_none_is_one_sentence(workspace: Path) -> None:
    ran = run(workspace, "serve", "--host", "no host", "--port", "0")
    assert ran.status == 1
    assert ran.err.startswith("mailer: cannot listen on no host port 0: ")
    assert ran.err.count("\n") == 1


def test_an_address_of_ipv6_is_written_as_one() -> None:
    class Listener:
        family = socket.AF_INET6

        def getsockname(self) -> tuple[str, int, int, int]:
            return "::1", 8000, 0, 0

    assert serve.listener_url(Listener()) == "http://[::1]:8000"  # type: ignore[arg-type]


@pytest.mark.parametrize("port", ["-1", "65536", "x"])
def test_a_port_that_is_none_is_wrong_usage(workspace: Path, port: str) -> None:
    assert run(workspace, "serve", "--port", port).status == 2


def test_without_a_secret_key_nothing_is_served(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILER_SECRET_KEY")
    ran = run(workspace, "serve", "--port", "0")
    assert ran.status == 2
    assert "MAILER_SECRET_KEY is not set" in ran.err
    assert not (workspace / "subscribers.db").exists()


def test_a_database_that_is_none_is_told_at_the_start(workspace: Path) -> None:
    (workspace / "subscribers.db").write_bytes(b"no database" * 100)
    ran = run(workspace, "serve", "--port", "0")
    assert ran.status == 1
    assert "is no SQLite database" in ran.err


@pytest.mark.parametrize("name", ["templates", "templates/web", "templates/web/pages"])
def test_pages_that_cannot_be_found_are_told_at_the_start(workspace: Path, name: str) -> None:
    path = workspace / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("not-there")
    ran = run(workspace, "serve", "--port", "0")
    assert ran == Ran(
        2,
        "",
        f"{name}: is a link to a file that does not exist or that this user may not read; correct it\n",
    )


def test_in_this_process_it_serves_and_gives_the_signals_back(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import uvicorn

    def serve_once(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        signal.raise_signal(signal.SIGTERM)
        assert self.should_exit

    monkeypatch.setattr(uvicorn.Server, "run", serve_once)
    before = signal.getsignal(signal.SIGTERM)
    ran = run(workspace, "serve", "--port", "0")
    assert ran.status == 0
    assert ran.out.startswith("Serving Harbour Brief on http://127.0.0.1:")
    assert signal.getsignal(signal.SIGTERM) is before


# -- what is due ----------------------------------------------------------------------------


@pytest.fixture
def due(workspace: Path) -> Path:
    """A workspace with a campaign that is due since a moment ago."""
    issue = "edition: morning\ndate: 2026-11-22\nitems: [{title: Cranes stand still, body: They rest.}]\n"
    (workspace / "issues/x.yaml").write_text(issue, encoding="utf-8")
    (workspace / "readers.csv").write_text("email\n" + "".join(f"r{n}@example.org\n" for n in range(40)))
    assert run(workspace, "subscribers", "import", "readers.csv").status == 0
    in_a_while = datetime.now(UTC) + timedelta(hours=1)
    words = ("send", "issues/x.yaml", "--yes", "--at", in_a_while.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert run(workspace, *words).status == 0
    db = open_store(workspace / "subscribers.db")
    db.conn.execute("UPDATE campaigns SET due_at = ?", [utc_now()])
    db.close()
    return workspace


def status(workspace: Path) -> str:
    db = open_store(workspace / "subscribers.db")
    (found,) = db.conn.execute("SELECT status FROM campaigns").fetchone()
    db.close()
    return str(found)


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_it_sends_what_is_due_and_answers_meanwhile(due: Path) -> None:
    served = Served(due)
    try:
        wait_until(lambda: served.ask("/")[0] == 200 and status(due) == "sent")
        ended, out, err = served.end(signal.SIGTERM)
    finally:
        served.process.kill()
        served.process.communicate()
    assert (ended, out) == (0, "")
    assert err.count("\n") == 1
    assert "2026-11-22-morning: 40 accepted; sent" in err
    assert len(list((due / "outbox").glob("*.eml"))) == 40


def test_sigterm_in_the_middle_lays_the_campaign_down_and_the_next_goes_on(due: Path) -> None:
    config = (due / "mailer.toml").read_text()
    (due / "mailer.toml").write_text(config + '\n[pace]\nlimit = "4/s"\n')
    served = Served(due)
    try:
        wait_until(lambda: bool(list((due / "outbox").glob("*.eml"))))
        began = time.monotonic()
        ended, _, err = served.end(signal.SIGTERM)
        took = time.monotonic() - began
    finally:
        served.process.kill()
        served.process.communicate()
    assert ended == 0
    assert took < 10
    assert "scheduled (the run was stopped before its end)" in err
    assert status(due) == "scheduled"
    first = {path.name for path in (due / "outbox").glob("*.eml")}
    assert 0 < len(first) < 40
    (due / "mailer.toml").write_text(config)
    assert run(due, "run-due").status == 0
    assert len(list((due / "outbox").glob("*.eml"))) == 40
    assert first < {path.name for path in (due / "outbox").glob("*.eml")}


def test_without_the_schedule_nothing_is_sent(due: Path) -> None:
    served = Served(due, "--no-schedule")
    try:
        assert served.ask("/")[0] == 200
        assert served.end(signal.SIGTERM) == (0, "", "")
    finally:
        served.process.kill()
        served.process.communicate()
    assert status(due) == "scheduled"


def test_cron_and_the_service_at_once_send_it_once(due: Path) -> None:
    cron = [sys.executable, str(ROOT / "cli.py"), "run-due"]
    served = Served(due)
    processes = [
        subprocess.Popen(cron, cwd=due, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    try:
        told = [process.communicate(timeout=60) for process in processes]
        wait_until(lambda: status(due) == "sent")
        _, _, err = served.end(signal.SIGTERM)
    finally:
        for process in (*processes, served.process):
            process.kill()
            process.communicate()
    assert [process.returncode for process in processes] == [0, 0, 0]
    lines = err + "".join(out + problems for out, problems in told)
    assert lines.count("40 accepted; sent") == 1
    assert lines.count("\n") == 1
    db = open_store(due / "subscribers.db")
    assert db.conn.execute("SELECT state, attempt, count(*) FROM deliveries GROUP BY 1, 2").fetchall() == [
        ("accepted", 1, 40)
    ]
    db.close()


def test_a_kill_in_the_middle_is_made_good_by_the_next_run(due: Path) -> None:
    config = (due / "mailer.toml").read_text()
    (due / "mailer.toml").write_text(config + '\n[pace]\nlimit = "10/s"\n')
    cron = [sys.executable, str(ROOT / "cli.py"), "run-due"]
    process = subprocess.Popen(cron, cwd=due, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: bool(list((due / "outbox").glob("*.eml"))))
    finally:
        process.kill()
        process.communicate()
    assert status(due) == "sending"
    (due / "mailer.toml").write_text(config)
    run(due, "run-due")
    db = open_store(due / "subscribers.db")
    counts = dict(db.conn.execute("SELECT state, count(*) FROM deliveries GROUP BY 1").fetchall())
    db.close()
    # What was on the wire at the kill is uncertain, at most one for each connection; nobody is left.
    assert set(counts) <= {"accepted", "uncertain"}
    assert sum(counts.values()) == 40
    assert counts.get("uncertain", 0) <= 8
    assert len(list((due / "outbox").glob("*.eml"))) >= counts["accepted"]
    assert run(due, "run-due") == Ran(0, "", "")
