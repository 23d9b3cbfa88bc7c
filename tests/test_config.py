"""Configuration is validated as a whole: all that is wrong in one answer, each with its line."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from mailer.config import Pace, Rate, find_workspace, load_settings
from mailer.errors import ConfigError
from mailer.transports import registry
from tests.conftest import CONFIG

KEY = {"MAILER_SECRET_KEY": "k"}


def written(workspace: Path, text: str) -> Path:
    (workspace / "mailer.toml").write_text(text, encoding="utf-8")
    return workspace


def problems(workspace: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(written(workspace, text), environ or {}, transports=registry)
    assert caught.value.exit_status == 2
    return str(caught.value).split("\n")


def test_a_workspace_is_read_with_its_defaults(workspace: Path) -> None:
    settings = load_settings(workspace, KEY)
    assert settings.root == workspace
    assert settings.database == workspace / "subscribers.db"
    assert settings.campaigns == workspace / "campaigns"
    assert str(settings.publication.sender) == "Harbour Brief <desk@news.example.org>"
    assert str(settings.publication.reply_to) == "editors@news.example.org"
    assert settings.publication.zone.key == "Asia/Shanghai"
    assert settings.edition_language("morning") == "zh"
    assert settings.edition_language("evening") == "en"
    assert settings.delivery.connections == 8
    assert settings.delivery.uncertain == "hold"
    assert settings.signing_keys() == ("k",)


def test_everything_wrong_is_told_at_once_with_its_line(workspace: Path) -> None:
    text = """\
[publication]
nam = "x"
from = "nobody"
postal_address = "x"
base_url = "ftp://example.org"
timezone = "Mars/Olympus"
language = "xx-yy-zz"

[brand]
accent = "red"
logo_width = 9000

[editions.morning]
name = "M"
title = "{date} {weather}"
time = "8am"
layot = "x"

[delivery]
transport = "pigeon:loft"
uncertain = "maybe"

[pace]
limit = "fast"

[pace.domains]
"gmail.com" = "0/s"

[delivry]
"""
    told = problems(workspace, text)
    assert told == [
        "mailer.toml:1: publication.name is missing",
        'mailer.toml:2: publication.nam is not known; did you mean "name"?',
        'mailer.toml:3: publication.from: "nobody" is not an e-mail address: it has no @',
        'mailer.toml:5: publication.base_url: "ftp://example.org" is not a URL such as '
        "https://news.example.org",
        'mailer.toml:6: publication.timezone: "Mars/Olympus" is not a time zone such as Asia/Shanghai',
        'mailer.toml:7: publication.language: "xx-yy-zz" is not a language tag such as en or zh',
        'mailer.toml:10: brand.accent: "red" is not a colour such as #b4232a',
        "mailer.toml:11: brand.logo_width: input should be less than or equal to 600",
        "mailer.toml:15: editions.morning.title: {weather} is not known here; a title may use {edition}, "
        "{publication}, {date}, {weekday}, {number}",
        'mailer.toml:16: editions.morning.time: "8am" is not a time of day such as "08:00"',
        'mailer.toml:17: editions.morning.layot is not known; did you mean "layout"?',
        'mailer.toml:20: delivery.transport: "pigeon:loft" is not a transport; use outbox:PATH, '
        "smtp://user@host:port, smtps://user@host:port or sendgrid:",
        "mailer.toml:21: delivery.uncertain: input should be 'hold' or 'resend'",
        'mailer.toml:24: pace.limit: "fast" is not a rate such as "20/s" (s, m, h or d)',
        'mailer.toml:27: pace.domains.gmail.com: "0/s" is not a rate such as "20/s" (s, m, h or d)',
        'mailer.toml:29: delivry is not known; did you mean "delivery"?',
    ]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('name = "Harbour Brief"\n', 'name = "a\\nb"\n', "publication.name: must be one line"),
        ('name = "Harbour Brief"\n', 'name = ""\n', "publication.name: must not be empty"),
        (
            "desk@news.example.org>",
            "desk@news.example.org",
            'is not a sender; write "Name <name@example.org>"',
        ),
        (
            'base_url = "https://news.example.org"',
            'base_url = "https://e.org/?a"',
            "remove ? or # and what follows",
        ),
        (
            'base_url = "https://news.example.org"',
            f'base_url = "https://e.org/{"x" * 800}"',
            "must be at most 800 characters",
        ),
        ('transport = "outbox:outbox"', 'transport = "smtp://me:secret@h"', "holds a password; leave it out"),
        ('transport = "outbox:outbox"', "connections = 0", "greater than or equal to 1"),
        ("[editions.morning]", "[editions.Morning]", "use small letters, digits, - and _"),
        ('layout = "morning"', 'layout = "../x"', "use small letters, digits, - and _"),
        ('layout = "morning"', 'title = "{"', "is not a title pattern"),
        ('language = "zh"', 'language = "en@x"', '"en@x" is not a language tag such as en or zh'),
        ('language = "zh"', 'language = "en@\\nX: y"', "is not a language tag such as en or zh"),
        ('time = "08:00"', "time = 8", "is not a time of day"),
        ("reply_to = ", "reply_to = 3 #", "publication.reply_to"),
        *(
            (
                "reply_to = ",
                f'feedback_id = "{value}" #',
                f'publication.feedback_id: "{value}" is not a sender id for Gmail; '
                "use 5 to 15 of the characters A-Z a-z 0-9 . - _",
            )
            for value in ("news", "news.example.org", "a:b:c", "早报早报早报", "harbour brief")
        ),
        ("reply_to = ", 'feedback_id = "newsletter" #', "stands in Feedback-ID already"),
        ("reply_to = ", "feedback_id = 3 #", "publication.feedback_id: "),
        (
            "reply_to = ",
            'unsubscribe_mailto = "Leave <leave@news.example.org>" #',
            'publication.unsubscribe_mailto: "Leave <leave@news.example.org>" has a name; '
            "write the address alone, as in leave@news.example.org",
        ),
        ("reply_to = ", 'unsubscribe_mailto = "mailto:x" #', "is not an e-mail address"),
        *(
            (
                "reply_to = ",
                f"{key} = {value} #",
                f'publication.{key}: must be a text such as "desk@news.example.org"',
            )
            for key in ("reply_to", "unsubscribe_mailto")
            for value in ("3", "true", '["leave@news.example.org"]', '{ address = "no address" }')
        ),
    ],
)
def test_each_wrong_value_has_its_sentence(workspace: Path, old: str, new: str, sentence: str) -> None:
    assert old in CONFIG
    told = problems(workspace, CONFIG.replace(old, new, 1))
    assert len(told) == 1
    assert sentence in told[0]
    assert told[0].startswith("mailer.toml:")


def test_broken_toml_is_told_with_line_and_column(workspace: Path) -> None:
    assert problems(workspace, "[publication]\nname = \n") == [
        "mailer.toml:2:8: is not valid TOML: Invalid value"
    ]
    assert "is not valid TOML" in problems(workspace, "[publication")[0]


def test_a_file_that_is_no_utf8(workspace: Path) -> None:
    (workspace / "mailer.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigError, match=r"is not UTF-8 .*; save it as UTF-8"):
        load_settings(workspace, {})


def test_a_file_that_cannot_be_read(workspace: Path) -> None:
    (workspace / "mailer.toml").unlink()
    (workspace / "mailer.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(workspace, {})


def test_a_workspace_needs_an_edition(workspace: Path) -> None:
    text = CONFIG.partition("[editions")[0] + "[editions]\n"
    assert problems(workspace, text) == ["mailer.toml: there is no [editions.NAME]; add at least one edition"]


def test_a_byte_order_mark_does_no_harm(workspace: Path) -> None:
    written(workspace, "\ufeff" + CONFIG)
    assert load_settings(workspace, KEY).publication.name == "Harbour Brief"


def test_the_environment_wins_over_the_file(workspace: Path) -> None:
    settings = load_settings(
        workspace,
        {
            **KEY,
            "MAILER_PUBLICATION_BASE_URL": "https://other.example.org/news/",
            "MAILER_PUBLICATION_FROM": "A <a@b.test>",
            "MAILER_DELIVERY_CONNECTIONS": "3",
            "MAILER_EDITIONS_MORNING_NAME": "Dawn",
            "MAILER_EDITIONS_MORNING_TIME": "07:30",
            "MAILER_SENDGRID_URL": "http://127.0.0.1:9/",
            "SENDGRID_API_KEY": "SG.x",
            "MAILER_SMTP_PASSWORD": "swordfish",
        },
    )
    assert settings.publication.base_url == "https://other.example.org/news"
    assert settings.publication.sender.address == "a@b.test"
    assert settings.delivery.connections == 3
    assert settings.editions["morning"].name == "Dawn"
    assert settings.editions["morning"].time is not None
    assert settings.environment_variable("MAILER_SENDGRID_URL") == "http://127.0.0.1:9/"
    assert settings.environment_variable("SENDGRID_API_KEY") == "SG.x"
    assert settings.environment_variable("MAILER_SMTP_PASSWORD") == "swordfish"
    assert settings.environment_variable("MAILER_SMTP_CA_FILE") == ""
    assert "swordfish" not in repr(settings)
    assert "SG.x" not in repr(settings)


def test_a_wrong_value_from_the_environment_names_its_variable(workspace: Path) -> None:
    told = problems(workspace, CONFIG, {"MAILER_DELIVERY_CONNECTIONS": "many", "MAILER_BRAND_ACCENT": "red"})
    assert any(line.endswith("(from MAILER_DELIVERY_CONNECTIONS)") for line in told)
    assert any(line.endswith("(from MAILER_BRAND_ACCENT)") for line in told)


def test_a_dot_env_is_read_and_the_real_environment_wins(workspace: Path) -> None:
    (workspace / ".env").write_text("MAILER_SECRET_KEY=one\nMAILER_BRAND_ACCENT=#123456\nEMPTY\n")
    assert load_settings(workspace, {}).signing_keys() == ("one",)
    assert load_settings(workspace, {}).brand.accent == "#123456"
    assert load_settings(workspace, {"MAILER_SECRET_KEY": "two, three"}).signing_keys() == ("two", "three")


def test_earlier_keys_are_added_and_never_sign_alone(workspace: Path) -> None:
    old = {"MAILER_SECRET_KEY_OLD": " older ,, oldest, one"}
    keys = load_settings(workspace, {"MAILER_SECRET_KEY": "one,two", **old}).signing_keys()
    assert keys == ("one", "two", "older", "oldest")
    assert load_settings(
        workspace, {"MAILER_SECRET_KEY": "one", "MAILER_SECRET_KEY_OLD": ""}
    ).signing_keys() == ("one",)
    with pytest.raises(ConfigError, match="MAILER_SECRET_KEY is not set"):
        load_settings(workspace, old).signing_keys()


def test_without_a_secret_nothing_is_signed(workspace: Path) -> None:
    with pytest.raises(ConfigError, match="MAILER_SECRET_KEY is not set"):
        load_settings(workspace, {}).signing_keys()


def paced(workspace: Path, text: str, **environment: str) -> Pace:
    written(workspace, CONFIG + "[pace]\n" + text)
    return load_settings(workspace, {**KEY, **environment}).pace


def told_of(limits: tuple[Rate, ...]) -> list[str]:
    return [str(rate) for rate in limits]


def test_a_pace_is_a_number_in_a_time_or_several(workspace: Path) -> None:
    assert told_of(paced(workspace, 'limit = "7200/h"').limit) == ["7200/h"]
    assert told_of(paced(workspace, 'limit = ["50/s", "20000/h"]').limit) == ["50/s", "20000/h"]
    assert told_of(paced(workspace, 'limit = "0.2/s, 100000/d"').limit) == ["0.2/s", "100000/d"]
    assert told_of(paced(workspace, "", MAILER_PACE_LIMIT="5/s,9/m").limit) == ["5/s", "9/m"]
    domains = paced(workspace, '[pace.domains]\n"Bücher.example" = ["2/s", "9/h"]\n"b.test" = "1/m"').domains
    assert {name: told_of(limits) for name, limits in domains.items()} == {
        "xn--bcher-kva.example": ["2/s", "9/h"],
        "b.test": ["1/m"],
    }


def test_a_warm_up_is_a_number_for_each_day(workspace: Path) -> None:
    pace = paced(workspace, "warm_up = [500, 1000]\nwarm_up_start = 2026-11-21")
    assert (pace.warm_up, pace.warm_up_start) == ((500, 1000), date(2026, 11, 21))
    named = paced(workspace, "", MAILER_PACE_WARM_UP="5, 10", MAILER_PACE_WARM_UP_START="2026-11-22")
    assert (named.warm_up, named.warm_up_start) == ((5, 10), date(2026, 11, 22))


def test_a_share_of_refusals_and_a_time_to_hold(workspace: Path) -> None:
    assert paced(workspace, "").rejects == 0.1
    assert paced(workspace, 'rejects = "2.5%"').rejects == 0.025
    assert load_settings(workspace, KEY).delivery.hold == timedelta(minutes=30)
    assert load_settings(workspace, {**KEY, "MAILER_DELIVERY_HOLD": "2h"}).delivery.hold == timedelta(hours=2)
    assert load_settings(workspace, {**KEY, "MAILER_DELIVERY_HOLD": "ask"}).delivery.hold is None


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("limit = 5", 'pace.limit: "5" is not a rate such as "20/s" (s, m, h or d), nor a list of them'),
        ('limit = ["5/h", "6/h"]', "pace.limit: has two limits for an hour; remove one of them"),
        (
            'limit = "0.5/h"',
            'pace.limit: "0.5/h" must have a whole number of messages; only a rate per second',
        ),
        ("warm_up = [5]", "has a warm_up and no warm_up_start; add the first day"),
        ("warm_up = 5", "pace.warm_up: is not a list of messages a day such as [500, 1000, 2000]"),
        ("warm_up = [0]", 'pace.warm_up: "0" is not a number of messages a day such as 500'),
        ("warm_up_start = 2026-11-21T08:00:00", "is not a day such as 2026-11-21"),
        ('warm_up_start = "2026-02-30"', '"2026-02-30" is not a day such as 2026-11-21'),
        ('rejects = "0%"', 'pace.rejects: "0%" is not a share such as "5%"'),
        ("rejects = 5", 'pace.rejects: "5" is not a share such as "5%"'),
    ],
)
def test_what_is_wrong_with_a_pace_is_told(workspace: Path, line: str, sentence: str) -> None:
    (told,) = problems(workspace, CONFIG + "[pace]\n" + line)
    assert sentence in told


def test_a_time_to_hold_is_checked(workspace: Path) -> None:
    written(workspace, CONFIG)
    with pytest.raises(ConfigError, match=r'delivery\.hold: "soon" is neither a time span such as "30m"'):
        load_settings(workspace, {**KEY, "MAILER_DELIVERY_HOLD": "soon"})


def test_the_workspace_is_found_from_below(workspace: Path) -> None:
    below = workspace / "issues" / "deep"
    below.mkdir()
    assert find_workspace(below) == workspace.resolve()


def test_no_workspace_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run `mailer init` to create a workspace"):
        find_workspace(tmp_path)


def test_dkim_keys_are_files_of_the_workspace_in_their_order(workspace: Path) -> None:
    assert (load_settings(workspace).dkim_domain, load_settings(workspace).dkim_keys) == (
        "news.example.org",
        (),
    )
    written(
        workspace,
        CONFIG
        + '[dkim]\ndomain = "Bücher.example"\nkeys = { s2026 = ".dkim/s.pem", "e.a-1" = "/keys/e.pem" }\n',
    )
    settings = load_settings(workspace, KEY)
    assert settings.dkim_domain == "xn--bcher-kva.example"
    assert settings.dkim_keys == (("s2026", workspace / ".dkim/s.pem"), ("e.a-1", Path("/keys/e.pem")))
    assert load_settings(workspace, {**KEY, "MAILER_DKIM_DOMAIN": "example.org"}).dkim_domain == "example.org"


def test_dkim_signs_as_the_domain_of_from_in_the_form_of_dns(workspace: Path) -> None:
    written(workspace, CONFIG.replace("desk@news.example.org", "desk@Bücher.example"))
    assert load_settings(workspace).dkim_domain == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('domain = "no domain"\nkeys = { a = "a.pem" }', ':+2: dkim.domain: "no domain" is not a domain'),
        ('domain = "localhost"\nkeys = { a = "a.pem" }', ':+2: dkim.domain: "localhost" is not a domain'),
        ('domain = "example.org"', ":+1: dkim: has a domain and no keys; add keys = "),
        ('keys = { a_b = "a.pem" }', ':+2: dkim.keys.a_b: "a_b" is not a selector such as s2026;'),
        ('keys = { "-a" = "a.pem" }', ':+2: dkim.keys.-a: "-a" is not a selector such as s2026;'),
        ('keys = { S1 = "a.pem" }', ':+2: dkim.keys.S1: "S1" is not a selector such as s2026;'),
        ('keys = { a = "" }', ":+2: dkim.keys.a: must not be empty"),
        ('[dkim.keys]\nb = "b.pem"\na = 7', ":+4: dkim.keys.a: input should be a valid string"),
    ],
)
def test_a_wrong_dkim_section_is_told_with_its_line(workspace: Path, text: str, told: str) -> None:
    (line,) = problems(workspace, f"{CONFIG}[dkim]\n{text}\n", KEY)
    where, _, told = told.removeprefix(":+").partition(":")
    assert line.startswith(f"mailer.toml:{CONFIG.count(chr(10)) + int(where)}:{told}")


def test_a_private_key_in_the_file_is_refused_and_not_repeated(workspace: Path) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvgIBADAN\n-----END PRIVATE KEY-----\n"
    (line,) = problems(workspace, f"{CONFIG}[dkim.keys]\na = '''{key}'''\n", KEY)
    assert (
        f"mailer.toml:{CONFIG.count(chr(10)) + 2}: dkim.keys.a: must be the name of a file, not a key; put "
        "the key into a file" in line
    )
    assert "MIIEvg" not in line


def test_deferred_mail_is_tried_for_a_day_unless_told_otherwise(workspace: Path) -> None:
    assert load_settings(workspace, KEY).delivery.retry_for == timedelta(hours=24)
    longer = {**KEY, "MAILER_DELIVERY_RETRY_FOR": "5d"}
    assert load_settings(workspace, longer).delivery.retry_for == timedelta(days=5)


@pytest.mark.parametrize("value", ["soon", "24", "ask", "11d", "999999h", "-1h"])
def test_the_time_for_deferred_mail_is_checked(workspace: Path, value: str) -> None:
    with pytest.raises(
        ConfigError, match=r'retry_for.*is not a time span such as "24h" \(s, m, h or d\) of at most "10d"'
    ):
        load_settings(workspace, {**KEY, "MAILER_DELIVERY_RETRY_FOR": value})
