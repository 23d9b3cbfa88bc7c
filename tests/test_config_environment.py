"""Every key of mailer.toml can come from the environment, and a name that is none is an error."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.config import Settings, load_settings
from mailer.config.environment import OTHER_VARIABLES, keys_with_types, variable_name
from mailer.config.oauth import OAuth
from mailer.config.sections import SECTIONS, Edition
from mailer.errors import ConfigError
from tests.conftest import CONFIG

Document = dict[str, Any]
Place = tuple[str, ...]

#: A whole mailer.toml: tables, and each value as TOML writes it.
BASE: Document = {
    "publication": {
        "name": '"Harbour Brief"',
        "from": '"Harbour Brief <desk@news.example.org>"',
        "postal_address": '"12 Quay Street"',
        "base_url": '"https://news.example.org"',
    },
    "editions": {"morning": {"name": '"Morning Brief"'}, "late-night": {"name": '"Late"'}},
    "delivery": {"oauth": {"provider": '"custom"', "grant": '"refresh_token"', "client_id": '"a"',
                           "token_url": '"https://login.example.org/token"'}},
    "pace": {"warm_up_start": "2026-11-21"},
    "dkim": {"keys": '{ s2026 = ".dkim/s.pem" }'},
}  # fmt: skip

EDITIONS = ("morning", "late-night")
LINE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf")), max_size=20)
FILLED = LINE.filter(str.strip)
TEXT = st.sampled_from(["12 Quay Street\nPort Example", "港口 3", "# no comment", '"quoted"'])
ADDRESS = st.sampled_from(
    ["desk@example.org", "Harbour Brief <desk@news.example.org>", '"A, B" <a@b.example>']
)
COLOUR = st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True)
LANGUAGE = st.sampled_from(["en", "zh-Hans", "pt-BR"])
TIME_SPAN = st.sampled_from(["30m", "24h", "2d", "90s"])
RATE = st.sampled_from(["20/s", "0.2/s", "7200/h"])
#: A text for each key whose value is one.
TEXTS: dict[Place, st.SearchStrategy[str]] = {
    ("publication", "name"): FILLED,
    ("publication", "from"): ADDRESS,
    ("publication", "reply_to"): ADDRESS,
    ("publication", "postal_address"): TEXT,
    ("publication", "base_url"): st.sampled_from(["https://a.example/news/", "http://127.0.0.1:8000"]),
    ("publication", "timezone"): st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "UTC"]),
    ("publication", "language"): LANGUAGE,
    ("publication", "description"): LINE,
    ("publication", "feedback_id"): st.sampled_from(["harbour", "news.example", "12345", ""]),
    ("publication", "unsubscribe_mailto"): st.just("leave@news.example.org"),
    ("brand", "logo"): st.sampled_from(["pictures/logo.png", "https://example.org/logo.png", "true", "12"]),
    **{("brand", key): COLOUR for key in ("accent", "accent_dark", "ink", "paper", "background")},
    **{
        ("editions", edition, key): texts
        for edition in EDITIONS
        for key, texts in {
            "name": FILLED,
            "title": st.sampled_from(["{edition}, {date}", "2026", "{weekday}"]),
            "layout": st.sampled_from(["evening", "mine-2"]),
            "language": LANGUAGE,
            "description": LINE,
        }.items()
    },
    ("delivery", "transport"): st.sampled_from(["outbox:x", "smtp://me@mail.example.org:587", "sendgrid:"]),
    ("delivery", "uncertain"): st.sampled_from(["hold", "resend"]),
    ("delivery", "hold"): TIME_SPAN | st.just("ask"),
    ("delivery", "retry_for"): TIME_SPAN,
    ("delivery", "return_path"): st.just("bounces@example.org"),
    ("delivery", "helo"): st.sampled_from(["mail.example.org", "[192.0.2.1]", ""]),
    ("delivery", "oauth", "provider"): st.just("custom"),
    ("delivery", "oauth", "grant"): st.sampled_from(["client_credentials", "refresh_token"]),
    ("delivery", "oauth", "client_id"): FILLED,
    ("delivery", "oauth", "tenant"): st.just(""),
    ("delivery", "oauth", "token_url"): st.just("https://example.org/oauth2"),
    ("delivery", "oauth", "scope"): LINE,
    **{("editions", edition, "rhythm"): st.sampled_from(["daily", "weekly"]) for edition in EDITIONS},
    ("pace", "limit"): RATE,
    ("pace", "rejects"): st.sampled_from(["5%", "12.5%"]),
    ("dkim", "domain"): st.sampled_from(["example.org", "bücher.example"]),
}  # fmt: skip
#: A value for each key that may have another than a text, as TOML writes it.
VALUES: dict[Place, st.SearchStrategy[str]] = {
    ("brand", "logo_width"): st.integers(16, 600).map(str) | st.just("0x20") | st.just("1_0_0"),
    **{("editions", edition, "time"): st.sampled_from(["08:00:00", "18:30:00"]) for edition in EDITIONS},
    **{("editions", edition, "archive"): st.sampled_from(["true", '"variant"']) for edition in EDITIONS},
    ("delivery", "connections"): st.integers(1, 100).map(str),
    ("delivery", "oauth"): st.just('{provider = "google", grant = "refresh_token", client_id = "b"}'),
    ("pace", "limit"): st.sampled_from(['["50/s", "20000/h"]', "[]", '["1/d"]']),
    ("pace", "domains"): st.sampled_from(['{"gmail.com" = "2/s", "qq.com" = ["1/s", "90/m"]}', "{}"]),
    ("pace", "warm_up"): st.lists(st.integers(1, 10**6)).map(json.dumps),
    ("pace", "warm_up_start"): st.dates().map(lambda day: day.isoformat()),
    ("pace", "rejects"): st.sampled_from(["0.05", "1.0"]),
    ("dkim", "keys"): st.sampled_from(['{a = "a.pem", b-1 = "/keys/b.pem"}', '{s2026 = "x"}']),
}  # fmt: skip
#: Whole tables, each as an inline table.
TABLES: dict[Place, str] = {
    ("publication",): '{name = "N", from = "n@example.org", postal_address = "P", base_url = "https://n.example"}',
    ("brand",): '{accent = "#123456", logo_width = 40}',
    ("editions",): '{noon = {name = "Noon", time = 12:00:00}}',
    ("editions", "morning"): '{name = "Dawn", archive = false}',
    ("editions", "late-night"): '{name = "Midnight"}',
    ("delivery",): '{connections = 3, hold = "ask"}',
    ("pace",): '{limit = "5/s", domains = {"a.example" = "1/s"}}',
    ("dkim",): '{domain = "example.org", keys = {a = "a.pem"}}',
}  # fmt: skip


def lines_of(table: Document, name: str = "") -> list[str]:
    lines = [f"[{name}]"] if name else []
    tables = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines += [f"{key} = {value}" for key, value in table.items() if key not in tables]
    return lines + [
        line for key, each in tables.items() for line in lines_of(each, f"{name}.{key}".strip("."))
    ]


def loaded(root: Path, document: Document, variables: dict[str, str]) -> Settings:
    (root / "mailer.toml").write_text("\n".join(lines_of(document)) + "\n", encoding="utf-8")
    return load_settings(root, variables)


def with_value(place: Place, value: str) -> Document:
    document = copy.deepcopy(BASE)
    table = document
    for key in place[:-1]:
        table = table.setdefault(key, {})
    table[place[-1]] = value
    return document


def same(root: Path, place: Place, in_file: str, in_environment: str) -> None:
    of_file = loaded(root, with_value(place, in_file), {})
    of_environment = loaded(root, BASE, {variable_name(place): in_environment})
    assert of_environment.model_copy(update={"variables": of_file.variables}) == of_file


def test_every_key_has_its_values_here() -> None:
    known: set[tuple[str, ...]] = {
        (section, key) for section, model in SECTIONS.items() for key, _ in keys_with_types(model)
    }
    known |= {("editions", edition, key) for edition in EDITIONS for key, _ in keys_with_types(Edition)}
    known |= {("delivery", "oauth", key) for key, _ in keys_with_types(OAuth)}
    assert set(TEXTS) | set(VALUES) == known
    assert {place for place in TABLES if len(place) == 1} == {(name,) for name in (*SECTIONS, "editions")}


@pytest.mark.parametrize("place", TEXTS, ids=variable_name)
@given(data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_from_the_environment_is_the_same_as_from_the_file(
    tmp_path: Path, place: Place, data: st.DataObject
) -> None:
    text = data.draw(TEXTS[place])
    same(tmp_path, place, json.dumps(text, ensure_ascii=False), text)


@pytest.mark.parametrize("place", VALUES, ids=variable_name)
@given(data=st.data())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_value_from_the_environment_is_the_same_as_from_the_file(
    tmp_path: Path, place: Place, data: st.DataObject
) -> None:
    value = data.draw(VALUES[place])
    same(tmp_path, place, value, value)


@pytest.mark.parametrize("place", TABLES, ids=variable_name)
def test_a_table_from_the_environment_takes_the_place_of_the_files(tmp_path: Path, place: Place) -> None:
    same(tmp_path, place, TABLES[place], TABLES[place])


@pytest.mark.parametrize("place", [*TEXTS, *VALUES, *TABLES], ids=variable_name)
def test_a_wrong_value_names_its_variable(tmp_path: Path, place: Place) -> None:
    variable = variable_name(place)
    if place in (("publication", "postal_address"), ("brand", "logo")):
        return  # any text will do
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, BASE, {variable: "\x07{"})
    assert f"(from {variable})" in str(caught.value)


def test_a_key_wins_over_the_table_that_holds_it(workspace: Path) -> None:
    variables = {
        "MAILER_BRAND_INK": "#000000",
        "MAILER_BRAND": '{ink = "#ffffff", paper = "#eeeeee"}',
        "MAILER_EDITIONS_MORNING_NAME": "Dawn",
        "MAILER_EDITIONS_MORNING": '{name = "Night", layout = "evening"}',
        "MAILER_DELIVERY_OAUTH_SCOPE": "mail",
        "MAILER_DELIVERY_OAUTH": '{provider = "google", grant = "refresh_token", client_id = "b"}',
    }
    for given_order in (variables, dict(reversed(variables.items()))):
        read = load_settings(workspace, given_order)
        assert (read.brand.ink, read.brand.paper) == ("#000000", "#eeeeee")
        assert (read.editions["morning"].name, read.editions["morning"].layout) == ("Dawn", "evening")
        assert read.delivery.oauth is not None
        assert (read.delivery.oauth.client_id, read.delivery.oauth.scope) == ("b", "mail")


def test_an_edition_of_the_environment_has_its_keys_there_too(workspace: Path) -> None:
    read = load_settings(
        workspace,
        {"MAILER_EDITIONS": '{noon-2 = {name = "Noon"}}', "MAILER_EDITIONS_NOON_2_NAME": "Midday"},
    )
    assert {name: edition.name for name, edition in read.editions.items()} == {"noon-2": "Midday"}


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("MAILER_PACE_LIMITS", 'did you mean "MAILER_PACE_LIMIT"?'),
        ("MAILER_DELIVERY_CONNECTION", 'did you mean "MAILER_DELIVERY_CONNECTIONS"?'),
        ("MAILER_PUBLICATION_SENDER", 'did you mean "MAILER_PUBLICATION'),
        ("MAILER_EDITIONS_NOON_NAME", 'did you mean "MAILER_EDITIONS_'),
        ("MAILER_EDITIONS_MORNING_LAYOT", 'did you mean "MAILER_EDITIONS_MORNING_LAYOUT"?'),
        ("MAILER_SECRET", 'did you mean "MAILER_SECRET_KEY"?'),
        ("MAILER_SENDGRID_API_KEY", 'did you mean "SENDGRID_API_KEY"?'),
        (
            "MAILER_XYZ",
            "the variable of a key in mailer.toml is MAILER_<SECTION>_<KEY>, as in MAILER_DELIVERY_TRANSPORT",
        ),
        (
            "MAILER_",
            "the variable of a key in mailer.toml is MAILER_<SECTION>_<KEY>, as in MAILER_DELIVERY_TRANSPORT",
        ),
    ],
)
def test_a_name_that_is_none_is_an_error(workspace: Path, variable: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(workspace, {variable: "x"})
    assert str(caught.value).startswith(f"{variable} is not known; {hint}")
    (workspace / ".env").write_text(f"{variable}=x\n")
    with pytest.raises(ConfigError, match=rf"^\.env: {variable} is not known; "):
        load_settings(workspace, {})


def test_names_and_values_that_are_wrong_are_told_in_one_answer(workspace: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(workspace, {"MAILER_PACE_LIMITS": "1/s", "MAILER_BRAND_INK": "black"})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "variable", [*OTHER_VARIABLES, "MAILER_TEST_KILLS", "OTHER_MAILER_X", "_MAILER_COMPLETE"]
)
def test_what_is_no_key_is_taken_too(workspace: Path, variable: str) -> None:
    assert load_settings(workspace, {variable: "x"}).publication.name == "Harbour Brief"


@pytest.mark.parametrize("variable", ["MAILER_WORKSPACE", "MAILER_DNS_SERVER"])
def test_what_is_not_read_from_the_file_is_no_line_of_it(workspace: Path, variable: str) -> None:
    (workspace / ".env").write_text(f"{variable}=x\n")
    with pytest.raises(
        ConfigError, match=rf"^\.env: {variable} is not read from this file; set it in the env"
    ):
        load_settings(workspace, {})
    load_settings(workspace, {variable: "y"})


@pytest.mark.parametrize(
    ("toml", "variable"), [("brand = 5", "MAILER_BRAND_INK"), ("delivery = []", "MAILER_DELIVERY_HELO")]
)
def test_a_key_for_what_is_no_table_in_the_file(workspace: Path, toml: str, variable: str) -> None:
    name = toml.partition(" ")[0]
    text = f"{toml}\n{CONFIG.partition('[delivery]')[0]}"
    (workspace / "mailer.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"^mailer\.toml:1: {name}: input should be"):
        load_settings(workspace, {variable: "x"})
