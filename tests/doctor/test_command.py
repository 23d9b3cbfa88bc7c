"""`mailer doctor` as an operator sees it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import run
from tests.doctor.conftest import DOMAIN, HOST, KEY_RECORD, World

ROOT = Path(__file__).parents[2]


def test_a_workspace_in_good_order_is_all_ok(world: World) -> None:
    ran = world.doctor()
    assert ran.status == 0, ran.out
    assert ran.err == ""
    *rows, empty, counts = ran.out.splitlines()
    assert {row.split()[0] for row in rows} == {"ok"}, ran.out
    assert (empty, counts) == ("", f"{len(rows)} ok")
    # Columns: the sentence begins at the same place in every line.
    starts = {len(row) - len(row.split(": ", 1)[1].lstrip()) for row in rows}
    assert len(starts) == 1, ran.out
    names = [row[9 : row.index(": ")] for row in rows]
    assert names == [
        "secret key",
        "base_url",
        "sender",
        "postal address",
        "transport",
        "database",
        "disk",
        "dkim key s2026",
        f"spf {DOMAIN}",
        "dkim s2026",
        f"dmarc {DOMAIN}",
        "alignment",
        f"mx {DOMAIN}",
        f"smtp {HOST}:{world.smtp.port}",
        f"ptr {HOST}",
        f"host {DOMAIN}",
        "tls",
        "web",
    ]
    assert world.smtp.received == []
    assert not any(command.startswith(("MAIL", "RCPT", "DATA")) for command in world.smtp.commands)


def test_one_error_makes_it_1_and_json_says_all(world: World) -> None:
    del world.zones[KEY_RECORD]
    ran = world.doctor("--json")
    assert ran.status == 1
    assert ran.json["ok"] is False
    assert all(set(check) == {"name", "status", "message", "advice"} for check in ran.json["checks"])
    (wrong,) = [check for check in ran.json["checks"] if check["status"] != "ok"]
    assert wrong["name"] == "dkim s2026"
    assert wrong["message"] == f"there is no key at {KEY_RECORD}"
    shown = wrong["advice"].removeprefix("publish ")
    assert shown.startswith(f'{KEY_RECORD}. TXT "v=DKIM1; k=rsa; p=')
    assert "".join(shown.split('"')[1::2]) == f"v=DKIM1; k=rsa; p={world.public_key}"
    told = world.doctor()
    (row,) = [line for line in told.out.splitlines() if line.startswith("error")]
    assert row.split() == ["error", "dkim", "s2026:", *f"{wrong['message']}; {wrong['advice']}".split()]
    assert told.out.endswith(" ok, 1 error\n")


def test_offline_asks_nobody(world: World) -> None:
    world.zones.clear()
    ran = world.doctor("--offline", "--json")
    assert ran.status == 0, ran.out
    assert [check["name"] for check in ran.json["checks"]][-1] == "dkim key s2026"
    assert world.dns.asked == []
    assert world.smtp.connections == 0
    assert world.web.requests == []


def test_a_dns_that_fails_is_unknown_and_no_error(world: World) -> None:
    world.dns.fail("*", "SERVFAIL")
    ran = world.doctor("--json")
    assert ran.status == 0
    asked = [check for check in ran.json["checks"] if check["status"] != "ok"]
    assert {check["status"] for check in asked} == {"unknown"}
    assert {check["name"] for check in asked} == {
        f"spf {DOMAIN}",
        "dkim s2026",
        f"dmarc {DOMAIN}",
        f"mx {DOMAIN}",
        "ptr",
        "host",
        "web",
    }
    assert all("SERVFAIL" in check["message"] for check in asked)


def test_what_is_not_done_in_time_is_unknown(world: World) -> None:
    world.dns.fail("*", "silence")
    ran = world.doctor("--json", "--time", "1")
    assert ran.status == 0
    late = [check for check in ran.json["checks"] if check["name"] == f"spf {DOMAIN}"]
    assert late == [
        {
            "name": f"spf {DOMAIN}",
            "status": "unknown",
            "message": "this check did not end within 1 s",
            "advice": "run this again",
        }
    ]


@pytest.mark.parametrize(
    "words", [("--dns-server", "example.org:53"), ("--dns-server", "127.0.0.1:0"), ("--time", "0")]
)
def test_wrong_usage_is_2(world: World, words: tuple[str, str]) -> None:
    ran = world.doctor(*words)
    assert ran.status == 2
    assert ran.out == ""
    assert words[0] in ran.err or words[1] in ran.err


def test_wrong_configuration_is_2(world: World) -> None:
    world.configure("^from = .*", "form = 1")
    ran = world.doctor()
    assert ran.status == 2
    assert "mailer.toml:" in ran.err
    assert run(world.root.parent, "doctor").status == 2


def test_ctrl_c_ends_it_at_once_without_a_traceback(world: World) -> None:
    world.configure("^transport = .*", 'transport = "outbox:outbox"')
    world.dns.fail("*", "silence")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "doctor", "--time", "600"],
        cwd=world.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert world.dns.first_question.wait(30)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert err == "mailer: stopped; nothing was changed\n"


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colour_is_for_a_terminal_without_no_color(world: World, no_color: str) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "doctor", "--offline"],
        cwd=world.root,
        stdout=theirs,
        env={**os.environ, "NO_COLOR": no_color, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # a terminal whose other end is gone
        pass
    os.close(ours)
    assert process.wait(30) == 0
    assert (b"\x1b[32mok" in shown) is (no_color == "")
    assert b"secret key:" in shown


def test_json_is_plain_even_at_the_first_workspace(tmp_path: Path) -> None:
    run(tmp_path, "init", "desk")
    ran = run(tmp_path / "desk", "doctor", "--offline", "--json")
    assert ran.status == 1
    status = {check["name"]: check["status"] for check in json.loads(ran.out)["checks"]}
    assert status == {
        "secret key": "warning",  # that of the tests, which comes before .env
        ".env": "ok",
        "base_url": "error",
        "sender": "error",
        "postal address": "error",
        "transport": "warning",
        "database": "warning",
        "disk": "ok",
    }


EVIL = r"\027[2J\027]0;owned\007\013\155"
HIDDEN = ("\x1b", "\x07", "\r", "\x9b", "\u202e")


def _hostile(world: World) -> None:
    """Whatever the DNS and the servers say may reach an operator's terminal."""
    own = world.zones[DOMAIN]
    own["TXT"] = [f'"v=spf1 include:other.alt {EVIL}=1 \\226\\128\\174 ~all"']
    world.zones["other.alt"] = {"TXT": [f'"v=spf1 {EVIL} -all"']}
    world.zones["_dmarc.harbour.alt"] = {"TXT": [f'"v=DMARC1; p=reject; rua={EVIL}, mailto:a{EVIL}@b{EVIL}"']}
    world.zones[KEY_RECORD] = {"TXT": [f'"v=DKIM1; k={EVIL}; s={EVIL}; p={EVIL}"']}
    label = EVIL.replace(";", r"\;")
    own["MX"] = [f"10 {label}.harbour.alt."]
    world.zones["2.0.0.44.in-addr.arpa"] = {"PTR": [f"{label}.harbour.alt."]}


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_nothing_that_the_dns_says_commands_a_terminal(world: World, more: tuple[str, ...]) -> None:
    _hostile(world)
    ran = world.doctor(*more)
    assert ran.status == 1
    assert "owned" in ran.out
    assert "this check failed" not in ran.out
    for character in HIDDEN:
        assert character not in ran.out
        assert json.dumps(character)[1:-1] not in ran.out


def test_a_record_without_end_is_cut(world: World) -> None:
    world.zones[DOMAIN]["TXT"] = [" ".join(['"v=spf1 ~all "', *['"' + "x=1 " * 60 + '"'] * 200])]
    world.zones["_dmarc.harbour.alt"] = {
        "TXT": [" ".join(['"v=DMARC1; p="', *['"' + "x" * 250 + '"'] * 200])]
    }
    ran = world.doctor()
    assert max(map(len, ran.out.splitlines())) < 5000


def test_the_address_to_leave_by_mail_must_receive_mail(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_PUBLICATION_UNSUBSCRIBE_MAILTO", "leave@leaving.example")
    ran = world.doctor("--json")
    (check,) = [check for check in ran.json["checks"] if check["name"] == "mx leaving.example"]
    assert check["status"] == "error"
    assert "List-Unsubscribe" in check["message"]
