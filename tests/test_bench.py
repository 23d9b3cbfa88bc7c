"""The benchmarks run, small: what they count is what was sent, and one that cannot run says why."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.measuring import Failed, run, table
from bench.peers import PEERS, Peer
from bench.sink import tool
from tests.needs import missing
from tests.servers.real.base import find, needs_root

ROOT = Path(__file__).parents[1]


@pytest.fixture
def _postfix() -> None:
    if not shutil.which("smtp-sink", path=os.environ.get("PATH", "") + ":/usr/sbin"):
        missing("smtp-sink, of Debian's package postfix,")


def bench(name: str, *words: str) -> str:
    command = [sys.executable, "-m", f"bench.{name}", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_list_is_imported_and_planned_in_flat_memory() -> None:
    rows = [line.split("rows")[0].split() for line in bench("audience", "--rows", "500").splitlines()]
    assert [tuple(row) for row in rows] == [
        ("import", "500"),
        ("import", "again", "500"),
        ("select", "500"),
        ("plan", "500"),
    ]


def test_lists_of_several_sizes_stand_beside_each_other() -> None:
    words = ("--up-to", "1000", "--smtp-up-to", "0", "--rounds", "1")
    assert "1,000 beside 1,000" in bench("growth", *words)


def test_sendgrid_counts_recipients_in_requests() -> None:
    out = bench("sendgrid", "--readers", "2300", "--rounds", "1")
    assert "2,300 recipients in 3 requests" in out
    assert "mailer, whole command" in out


def test_a_start_is_a_multiple_of_importing_typer() -> None:
    out = bench("startup", "--rounds", "1", "--markdown")
    rows = [line.split(" | ") for line in out.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows[1:]] == [
        "| import typer",
        "| mailer --help",
        "| mailer --version",
        "| mailer campaigns list",
        "| mailer check",
        "| mailer send, 200 readers",
    ]
    assert [row[5] for row in rows[2:]] == ["≤ 4 |", "≤ 4 |", "≤ 6 |", "≤ 11 |", "≤ 13 |"]


@pytest.mark.usefixtures("_postfix")
def test_smtp_stands_beside_smtp_source() -> None:
    words = ("--readers", "60", "--rounds", "1", "--peer-readers", "0", "--signed-readers", "20")
    out = bench("smtp", *words, "--markdown")
    rows = [line.split(" | ")[0] for line in out.splitlines() if line.startswith("| ")]
    assert rows == [
        "|",
        "| mailer, delivering",
        "| mailer, whole command",
        "| mailer, 100 readers leaving a second",
        "| smtp-source",
        "| mailer, DKIM by RSA-2048",
        "| mailer, DKIM by Ed25519",
        "| mailer is so many times",
        "| smtp-source",
    ]


@pytest.mark.usefixtures("_postfix")
def test_servers_stand_beside_each_other() -> None:
    find("stunnel", name="stunnel")
    needs_root("postfix")
    out = bench("servers", "--readers", "40", "--rounds", "1", "--only", "smtp-sink", "Postfix", "--markdown")
    rows = [line.split(" | ")[0] for line in out.splitlines() if line.startswith("| ")]
    assert rows == [
        "|",
        "| smtp-sink",
        "| smtp-sink behind TLS",
        "| Postfix",
        "| Postfix, STARTTLS",
    ], out


def test_growth_has_a_row_for_each_size() -> None:
    out = bench("growth", "--up-to", "1000", "--smtp-up-to", "0", "--rounds", "1")
    assert [line.split()[0] for line in out.splitlines() if line.startswith("1,000  ")] == ["1,000"]
    assert "SendGrid, median of 1 rounds" in out
    assert "SMTP" not in out


def test_a_command_that_fails_is_told_in_its_own_words() -> None:
    with pytest.raises(Failed, match=r"ended with 3: no such luck"):
        run([sys.executable, "-c", "import sys; print('no such luck', file=sys.stderr); sys.exit(3)"])


def test_a_command_that_does_not_end_is_ended() -> None:
    with pytest.raises(Failed, match="ended with -9"):
        run([sys.executable, "-c", "import time; time.sleep(600)"], limit=0.2)


def test_cpu_and_memory_count_what_a_command_starts() -> None:
    """A child holds 60 MB and computes; the command itself does neither."""
    child = "import time; b = bytearray(60_000_000)\nwhile time.process_time() < .6: pass"
    took = run(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"]
    )
    assert took.cpu >= 0.5
    assert took.peak >= 60
    assert took.processes == 2


def test_what_is_missing_is_told_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(Failed, match="smtp-sink is missing; it comes with Debian's package postfix"):
        tool("smtp-sink")


def test_tables_are_for_people_or_for_pages() -> None:
    rows = [["one", "1"], ["twenty", "20"]]
    assert table(["", "n"], rows, markdown=False).splitlines() == ["         n", "one      1", "twenty  20"]
    assert table(["", "n"], rows, markdown=True).splitlines()[1:] == [
        "|---|---:|",
        "| one | 1 |",
        "| twenty | 20 |",
    ]


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_peer_is_pinned_exactly(peer: Peer) -> None:
    folder = ROOT / "bench" / "peers" / peer.name
    lines = (folder / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(line.count("==") == 1 and "/" not in line for line in pinned)
    assert {peer.name, *peer.also} <= {line.split("==")[0] for line in pinned}
    assert (folder / "driver.py").exists()
