"""Files and variables that cannot be read as they are end in one sentence that names the cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.config.text import decode_text
from mailer.config.urls import split_url, without_password
from mailer.errors import ConfigError
from mailer.transports import registry
from tests.conftest import CONFIG

ENV = "# 签名\nMAILER_SECRET_KEY=钥匙-abc\nMAILER_SMTP_PASSWORD=密码\n"
MANY_DIGITS = "9" * 5000
BAD_BYTES = b"\xff\xd6".decode("utf-8", "surrogateescape")


def refusal(workspace: Path, toml: str = CONFIG, environ: dict[str, str] | None = None) -> str:
    (workspace / "mailer.toml").write_text(toml, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(workspace, environ or {}, transports=registry)
    assert caught.value.exit_status == 2
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_an_env_file_with_a_byte_order_mark_is_read(workspace: Path, encoding: str) -> None:
    text = "\ufeff" + ENV if encoding == "utf-16-be" else ENV
    (workspace / ".env").write_bytes(text.encode(encoding))
    settings = load_settings(workspace, {})
    assert settings.signing_keys() == ("钥匙-abc",)
    assert settings.environment_variable("MAILER_SMTP_PASSWORD") == "密码"


@pytest.mark.parametrize(
    ("data", "seems"),
    [
        (ENV.encode("gbk"), "is not UTF-8 (from line 1 on) and seems to be GBK"),
        (ENV.encode("utf-16-le"), "seems to be UTF-16 without a byte order mark"),
        (
            "A=1\nB=caf\xe9 cr\xe8me".encode("latin-1"),
            "(from line 2 on) and seems to be in a code page of Windows",
        ),
        ("A=\xe9".encode("latin-1"), "seems to be in a code page of Windows"),
        (b"\xff\xfeA", "begins with the byte order mark of UTF-16, but is not valid UTF-16"),
    ],
)
@pytest.mark.parametrize("name", [".env", "mailer.toml"])
def test_another_encoding_is_named_with_what_to_do(
    workspace: Path, name: str, data: bytes, seems: str
) -> None:
    (workspace / name).write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_settings(workspace, {})
    told = str(caught.value)
    assert told.startswith(f"{name}: ")
    assert seems in told
    assert told.endswith("; save it as UTF-8 (in Notepad: File, Save as, Encoding UTF-8)")
    assert "密码" not in told


def test_an_empty_file_is_text() -> None:
    assert decode_text(b"") == ""


@pytest.mark.parametrize(
    "setting",
    [
        "x = " + "[" * 3000 + "]" * 3000,
        "x = " + "{a=" * 3000 + "1" + "}" * 3000,
        "[pace]\nlimit" + ".a" * 3000 + " = 1",
    ],
)
def test_a_file_that_is_nested_too_deeply_is_told(workspace: Path, setting: str) -> None:
    told = refusal(workspace, f"{CONFIG}\n{setting}\n")
    assert told == "mailer.toml: is nested too deeply; no setting has more than three levels"


@pytest.mark.parametrize("number", [MANY_DIGITS, "9_" * 4999 + "9", "-" + MANY_DIGITS])
def test_a_number_of_too_many_digits_is_told_at_its_line(workspace: Path, number: str) -> None:
    line = CONFIG.count("\n") + 1
    told = refusal(workspace, f"{CONFIG}connections = {number}\nhold = '1m'\n")
    assert told == f"mailer.toml:{line}: a number here has too many digits; write a smaller number"


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("MAILER_DELIVERY_CONNECTIONS", MANY_DIGITS, "delivery.connections"),
        ("MAILER_BRAND_LOGO_WIDTH", MANY_DIGITS, "brand.logo_width"),
        ("MAILER_PACE_WARM_UP", MANY_DIGITS, "pace.warm_up"),
        ("MAILER_PACE_LIMIT", f"{MANY_DIGITS}/s", "pace.limit"),
        ("MAILER_PACE_REJECTS", f"{MANY_DIGITS}%", "pace.rejects"),
        ("MAILER_DELIVERY_HOLD", f"{MANY_DIGITS}m", "delivery.hold"),
        ("MAILER_EDITIONS_MORNING_TIME", MANY_DIGITS, "editions.morning.time"),
    ],
)
def test_a_variable_of_too_many_digits_is_told(workspace: Path, variable: str, value: str, key: str) -> None:
    told = refusal(workspace, environ={variable: value})
    assert told.startswith(f"mailer.toml: {key}: ")
    assert told.endswith(f"(from {variable})")
    assert len(told) < 700


@pytest.mark.parametrize(
    "base_url", ["http://[::1", "http://a:99999", "http://a:b", "https://a\u2100b", "https://a..b"]
)
def test_an_address_that_leads_nowhere_is_no_base_url(workspace: Path, base_url: str) -> None:
    told = refusal(workspace, CONFIG.replace("https://news.example.org", base_url))
    assert told == (
        f'mailer.toml:6: publication.base_url: "{base_url}" is not a URL such as https://news.example.org'
    )


@pytest.mark.parametrize(
    ("transport", "why"),
    [
        ("smtp://[::1", "its host cannot be read"),
        ("smtp://a\u2100b", "its host cannot be read"),
        ("smtp://h:port", "its port is not a number from 1 to 65535"),
        (f"smtp://h:{MANY_DIGITS}", "its port is not a number from 1 to 65535"),
        ("smtps://a..b:465", "its host is not a valid host name"),
        (f"smtp://{'a' * 70}", "its host is not a valid host name"),
        ("smtp://me:se/cret@h:x", "its port is not a number from 1 to 65535"),
    ],
)
def test_a_server_that_cannot_be_reached_is_told_at_its_line(
    workspace: Path, transport: str, why: str
) -> None:
    told = refusal(workspace, CONFIG.replace("outbox:outbox", transport))
    assert told == (
        f"mailer.toml:25: delivery.transport: is not the URL of a server: {why}; write smtp://user@host:port"
    )
    told = refusal(workspace, environ={"MAILER_DELIVERY_TRANSPORT": transport})
    assert told.endswith("(from MAILER_DELIVERY_TRANSPORT)")
    assert "cret" not in told


def test_a_url_shows_no_password() -> None:
    assert without_password("smtp://me:se/cret@h:x") == "smtp://me:…@h:x"
    assert without_password("smtp://me@h:25") == "smtp://me@h:25"
    assert split_url("smtp://me@h:25").port == 25


def test_an_outbox_is_one_line(workspace: Path) -> None:
    told = refusal(workspace, CONFIG.replace("outbox:outbox", "outbox:a\\u0000b"))
    assert "delivery.transport: must be one line without control characters" in told


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("desk@news", "пост@news", "mailer.toml:3: publication.from: "),
        ("editors@news", "редактор@news", "mailer.toml:4: publication.reply_to: "),
        (
            "[delivery]",
            '[delivery]\nreturn_path = "возврат@example.org"',
            "mailer.toml:25: delivery.return_path: ",
        ),
    ],
)
def test_letters_beyond_ascii_before_the_at_are_refused_in_senders(
    workspace: Path, old: str, new: str, place: str
) -> None:
    told = refusal(workspace, CONFIG.replace(old, new))
    assert told.startswith(place)
    assert told.endswith("use an address that has only ASCII letters before the @")


@pytest.mark.parametrize("title", ["{date!r:{x}}", "{date:99999999999999999999}", "{date:d}", "{edition!x}"])
def test_a_title_has_names_alone_in_its_braces(workspace: Path, title: str) -> None:
    told = refusal(workspace, CONFIG.replace("[editions.morning]", f'[editions.morning]\ntitle = "{title}"'))
    assert "has something after the name; write the name alone in the braces" in told


@pytest.mark.parametrize(
    "variable",
    [
        "MAILER_SECRET_KEY",
        "MAILER_SMTP_PASSWORD",
        "SENDGRID_API_KEY",
        "MAILER_SENDGRID_URL",
        "MAILER_SMTP_CA_FILE",
        "MAILER_DELIVERY_TRANSPORT",
        "MAILER_PACE_LIMIT",
        "MAILER_PUBLICATION_FROM",
        "MAILER_EDITIONS_MORNING_NAME",
    ],
)
def test_a_variable_that_is_not_utf_8_is_named_without_its_value(workspace: Path, variable: str) -> None:
    told = refusal(workspace, environ={variable: f"outbox:s3cret{BAD_BYTES}"})
    assert told == f"{variable} holds bytes that are not UTF-8 text; set it again as UTF-8"


def test_a_variable_of_others_may_hold_what_it_likes(workspace: Path) -> None:
    others = {"HOME": BAD_BYTES, "MAILER_DNS_SERVER": BAD_BYTES, "X": BAD_BYTES}
    assert load_settings(workspace, {**others, "MAILER_SECRET_KEY": "k"}).signing_keys() == ("k",)


def test_utf_8_in_another_locale_is_read_as_utf_8(workspace: Path) -> None:
    """Where the locale is C, Python gives each byte of a variable as a surrogate."""
    value = "钥匙".encode().decode("ascii", "surrogateescape")
    assert load_settings(workspace, {"MAILER_SECRET_KEY": value}).signing_keys() == ("钥匙",)


def test_a_file_that_cannot_be_read_is_named(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (workspace / ".env").write_text("A=1")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ConfigError, match=r"mailer\.toml: cannot be read: Permission denied"):
        load_settings(workspace, {})
