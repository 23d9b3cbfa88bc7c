"""No value of an argument, a variable or a setting ends a command without a status and a sentence."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli import run
from tests.commands.subprocesses import run_here
from tests.conftest import CONFIG
from tests.desk import ISSUE, fill

MANY = "9" * 5000
HOSTILE = [
    "",
    " ",
    "-",
    "..",
    "/",
    "/dev/null",
    MANY,
    f"-{MANY}",
    f"0x{'f' * 5000}",
    "1e999",
    "nan",
    "²",
    "٣",
    "a\nb",
    "a\x1b[2J",
    "\udcff",
    "中\udcd6文",
    "港口",
    "🏗",
    "\u202eabc",
    "\ufffe",
    "http://[::1",
    "http://h:x",
    "https://a..b",
    "smtp://[::1",
    f"smtp://h:{MANY}",
    "smtp://a..b",
    f"smtp://{'a' * 70}",
    "sendgrid:",
    "outbox:",
    "outbox:\udcff",
    "a@",
    "пост@example.org",
    "a@" + "b" * 300,
    "Name <",
    "a" * 5000,
    "(" * 1900,
    "not " * 480 + '"a" in tags',
    "{date!x}",
    "{" * 500,
    "[" * 3000,
    "99999999999999d",
    "99:99",
    "0000-00-00",
    "9999-12-31",
    "2026-02-30T25:61",
    "%",
    "=",
    "'\"",
]
COMMANDS = [
    ["check", "@"],
    ["plan", "@"],
    ["plan", ISSUE, "--segment", "@"],
    ["plan", ISSUE, "--transport", "@"],
    ["plan", ISSUE, "--at", "@"],
    ["plan", ISSUE, "--at-local", "@"],
    ["send", ISSUE, "--plan", "@"],
    ["send", ISSUE, "--canary", "@"],
    ["send", ISSUE, "--canary", "50%", "--hold", "@"],
    ["new", "@"],
    ["new", "morning", "--date", "@"],
    ["explain", "@", ISSUE],
    ["subscribers", "add", "@"],
    ["subscribers", "add", "x@example.org", "--name", "@", "--consent", "@"],
    ["subscribers", "add", "x@example.org", "--tag", "@", "--language", "@"],
    ["subscribers", "add", "x@example.org", "--attribute", "a=@"],
    ["subscribers", "add", "x@example.org", "--timezone", "@"],
    ["subscribers", "list", "--segment", "@"],
    ["subscribers", "list", "--status", "@", "--json"],
    ["subscribers", "show", "@"],
    ["subscribers", "unsubscribe", "reader0@example.org", "--reason", "@"],
    ["subscribers", "suppress", "y@example.org", "--reason", "@"],
    ["subscribers", "restore", "reader0@example.org", "--reason", "@"],
    ["subscribers", "restore", "--campaign", "@", "--reason", "@"],
    ["subscribers", "import", "@"],
    ["campaigns", "show", "@"],
    ["campaigns", "verify", "@"],
    ["campaigns", "cancel", "@"],
    ["campaigns", "resolve", "@", "--resend"],
    ["doctor", "--offline", "--dns-server", "@"],
    ["@"],
    ["--workspace", "@", "campaigns", "list"],
]
VARIABLES = [
    "MAILER_SECRET_KEY",
    "MAILER_SENDGRID_URL",
    "MAILER_SMTP_CA_FILE",
    "MAILER_DELIVERY_CONNECTIONS",
    "MAILER_DELIVERY_TRANSPORT",
    "MAILER_DELIVERY_HOLD",
    "MAILER_DELIVERY_RETURN_PATH",
    "MAILER_PUBLICATION_FROM",
    "MAILER_PUBLICATION_REPLY_TO",
    "MAILER_PUBLICATION_BASE_URL",
    "MAILER_PUBLICATION_TIMEZONE",
    "MAILER_PUBLICATION_LANGUAGE",
    "MAILER_PUBLICATION_POSTAL_ADDRESS",
    "MAILER_BRAND_LOGO",
    "MAILER_BRAND_LOGO_WIDTH",
    "MAILER_EDITIONS_MORNING_TITLE",
    "MAILER_EDITIONS_MORNING_TIME",
    "MAILER_EDITIONS_MORNING_LAYOUT",
    "MAILER_PACE_LIMIT",
    "MAILER_PACE_WARM_UP",
    "MAILER_PACE_WARM_UP_START",
    "MAILER_PACE_REJECTS",
    "MAILER_DKIM_DOMAIN",
]
values = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))
quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def desk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILER_SECRET_KEY", "a-secret-key-for-tests-only")
        root = Path(folder)
        (root / "issues").mkdir()
        (root / "mailer.toml").write_text(CONFIG, encoding="utf-8")
        yield fill(root, 2)


def ends_well(desk: Path, *words: str) -> None:
    ran = run(desk, *words)
    assert ran.status in (0, 1, 2)
    assert "a defect in mailer" not in ran.err
    assert ran.err or ran.out
    assert not (desk / ".mailer" / "errors").exists()


@quick
@given(st.sampled_from(COMMANDS), values)
def test_any_argument(desk: Path, words: list[str], value: str) -> None:
    ends_well(desk, *(value.join(word.split("@")) if word in ("@", "a=@") else word for word in words))


@quick
@given(st.sampled_from(VARIABLES), values)
def test_any_variable(desk: Path, variable: str, value: str) -> None:
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return
    with mock.patch.dict(os.environ, {variable: value.replace("\0", "")}):
        ends_well(desk, "plan", ISSUE)


@quick
@given(st.sampled_from(VARIABLES[3:]), st.sampled_from(HOSTILE))
def test_any_setting(desk: Path, variable: str, value: str) -> None:
    section, _, key = variable.removeprefix("MAILER_").lower().partition("_")
    toml = (desk / "mailer.toml").read_text(encoding="utf-8")
    written = value.encode("utf-8", "replace").decode()
    for form in (f"{key.removeprefix('morning_')} = '''{written}'''", f"{key}.{'a.' * 1500}a = {written}"):
        head = f"[{section}.morning]" if section == "editions" else f"[{section}]"
        try:
            (desk / "mailer.toml").write_text(f"{head}\n{form}\n{CONFIG.replace(head, '')}", encoding="utf-8")
            ends_well(desk, "campaigns", "list")
        finally:
            (desk / "mailer.toml").write_text(toml, encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "variables", "told"),
    [
        (["plan", ISSUE], {"MAILER_DELIVERY_CONNECTIONS": MANY}, b"(from MAILER_DELIVERY_CONNECTIONS)"),
        (
            ["send", ISSUE, "--yes", "--transport", "sendgrid:"],
            {"MAILER_SENDGRID_URL": "http://[::1", "SENDGRID_API_KEY": "SG.x"},
            b"MAILER_SENDGRID_URL is not a URL such as https://api.sendgrid.com",
        ),
        (
            ["send", ISSUE, "--yes", "--transport", "smtp://a..b"],
            {},
            b'"smtp://a..b" is not a transport: its host is not a valid host name',
        ),
        (["render", ISSUE, "-o", "look"], {"MAILER_SECRET_KEY": b"\xff"}, b"MAILER_SECRET_KEY holds bytes"),
        (["serve", "--host", "a" * 70], {}, b"this is not a valid host name"),
    ],
)
def test_the_real_command_line_says_it_too(
    workspace: Path, words: list[str], variables: dict[str, str | bytes], told: bytes
) -> None:
    fill(workspace, 1)
    ended = run_here(workspace, *words, variables=variables)
    assert told in ended.stderr
    assert ended.stderr.count(b"\n") == 1
    assert not (workspace / "outbox").exists()
