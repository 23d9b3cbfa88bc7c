"""`[delivery.oauth]`: what the providers' usual values are, and what is refused, at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.config import OAuth, Settings, load_settings
from mailer.errors import ConfigError
from tests.conftest import CONFIG


def settings(workspace: Path, table: str, **environ: str) -> Settings:
    (workspace / "mailer.toml").write_text(f"{CONFIG}\n[delivery.oauth]\n{table}\n", encoding="utf-8")
    return load_settings(workspace, environ)


def read(workspace: Path, table: str) -> OAuth:
    oauth = settings(workspace, table).delivery.oauth
    assert oauth is not None
    return oauth


@pytest.mark.parametrize(
    ("table", "endpoint", "scope"),
    [
        (
            'provider = "microsoft"\ngrant = "client_credentials"\nclient_id = "a"\ntenant = "example.org"',
            "https://login.microsoftonline.com/example.org/oauth2/v2.0/token",
            "https://outlook.office365.com/.default",
        ),
        (
            'provider = "microsoft"\ngrant = "refresh_token"\nclient_id = "a"\ntenant = "1b2c-3d"',
            "https://login.microsoftonline.com/1b2c-3d/oauth2/v2.0/token",
            "https://outlook.office.com/SMTP.Send offline_access",
        ),
        (
            'provider = "microsoft"\ngrant = "client_credentials"\nclient_id = "a"\n'
            'token_url = "https://login.example.org/t"\nscope = "s"',
            "https://login.example.org/t",
            "s",
        ),
        (
            'provider = "google"\ngrant = "service_account"',
            "https://oauth2.googleapis.com/token",
            "https://mail.google.com/",
        ),
        (
            'provider = "google"\ngrant = "refresh_token"\nclient_id = "a"',
            "https://oauth2.googleapis.com/token",
            "https://mail.google.com/",
        ),
        (
            'provider = "custom"\ngrant = "client_credentials"\nclient_id = "a"\ntoken_url = "http://[::1]:8/t"',
            "http://[::1]:8/t",
            "",
        ),
    ],
)
def test_a_provider_has_its_usual_values(workspace: Path, table: str, endpoint: str, scope: str) -> None:
    oauth = read(workspace, table)
    assert (oauth.token_endpoint, oauth.requested_scope) == (endpoint, scope)


NO_GRANTS = "the SMTP servers of Google do not accept client credentials; write grant ="
CUSTOM = 'provider = "custom"\ngrant = "client_credentials"\nclient_id = "a"\n'
MICROSOFT = 'provider = "microsoft"\ngrant = "client_credentials"\nclient_id = "a"\n'


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('provider = "google"\ngrant = "client_credentials"\nclient_id = "a"', NO_GRANTS),
        (MICROSOFT.replace("client_credentials", "service_account"), "Microsoft do not accept service"),
        (MICROSOFT, "tenant is missing; write the id of your directory, or its domain"),
        (MICROSOFT + 'tenant = "../evil"', 'delivery.oauth.tenant: "../evil" is not a tenant'),
        (CUSTOM, "token_url is missing"),
        (CUSTOM + 'tenant = "x"\ntoken_url = "https://a.example/"', 'only for provider = "microsoft"'),
        (CUSTOM.replace('"a"', '""') + 'token_url = "https://a.example/"', "client_id is missing"),
        (CUSTOM + 'token_url = "http://login.example.org/t"', "must begin with https://, because secrets"),
        (CUSTOM + 'token_url = "ftp://login.example.org/t"', "token_url: must begin with https://"),
        (CUSTOM + 'token_url = "https://me:word@login.example.org/t"', "contains a user or a password"),
        (CUSTOM + 'token_url = "https://login.example.org:x/t"', "is not the URL of a token"),
        (CUSTOM + 'token_url = "login"', "token_url: is not a URL such as https://login.example.org"),
        ('provider = "yahoo"\ngrant = "refresh_token"', "delivery.oauth.provider: "),
        ('provider = "google"\ngrant = "password"', "delivery.oauth.grant: "),
        ('provider = "google"', "delivery.oauth.grant is missing"),
        (CUSTOM + 'client_secret = "hush"', "it is a secret, which is not kept in"),
        (CUSTOM + 'refresh_token = "hush"', "set MAILER_OAUTH_REFRESH_TOKEN"),
        (CUSTOM + 'tokenurl = "https://x.example/"', 'did you mean "token_url"?'),
    ],
)  # fmt: skip
def test_what_cannot_work_is_told_at_its_line(workspace: Path, table: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(workspace, table)
    assert told in str(caught.value)
    assert str(caught.value).startswith("mailer.toml:")
    assert "hush" not in str(caught.value)
    assert "word@" not in str(caught.value)


def test_the_environment_has_the_secrets_and_may_have_the_table(workspace: Path) -> None:
    table = '{provider = "google", grant = "refresh_token", client_id = "a"}'
    (workspace / "mailer.toml").write_text(CONFIG, encoding="utf-8")
    read = load_settings(
        workspace,
        {
            "MAILER_DELIVERY_OAUTH": table,
            "MAILER_OAUTH_CLIENT_SECRET": "hush",
            "MAILER_OAUTH_REFRESH_TOKEN": "hush-hush",
            "MAILER_OAUTH_KEY_FILE": "key.json",
        },
    )
    assert read.delivery.oauth is not None
    assert read.delivery.oauth.client_id == "a"
    assert read.oauth_client_secret is not None
    assert read.oauth_refresh_token is not None
    assert read.oauth_key_file == workspace / "key.json"
    assert "hush" not in repr(read)
    with pytest.raises(
        ConfigError, match=r"delivery\.oauth: is not a table such as .* \(from MAILER_DELIVERY_OAUTH\)"
    ):
        load_settings(workspace, {"MAILER_DELIVERY_OAUTH": "google"})


def test_a_key_of_the_table_may_come_from_the_environment(workspace: Path) -> None:
    (workspace / "mailer.toml").write_text(f"{CONFIG}\n[delivery.oauth]\n{MICROSOFT}", encoding="utf-8")
    read = load_settings(workspace, {"MAILER_DELIVERY_OAUTH_TENANT": "example.org"})
    assert read.delivery.oauth is not None
    assert read.delivery.oauth.tenant == "example.org"
    with pytest.raises(ConfigError, match=r'"a b" is not a tenant; .* \(from MAILER_DELIVERY_OAUTH_TENANT\)'):
        load_settings(workspace, {"MAILER_DELIVERY_OAUTH_TENANT": "a b"})
    (workspace / "mailer.toml").write_text(CONFIG, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"oauth\.grant is missing"):
        load_settings(workspace, {"MAILER_DELIVERY_OAUTH_PROVIDER": "google"})
    with pytest.raises(ConfigError, match='did you mean "MAILER_DELIVERY_OAUTH_CLIENT_ID"'):
        load_settings(workspace, {"MAILER_DELIVERY_CLIENT_ID": "a"})


def test_a_wrong_key_of_a_table_in_the_environment_names_the_variable(workspace: Path) -> None:
    (workspace / "mailer.toml").write_text(CONFIG, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"oauth\.grant is missing \(from MAILER_DELIVERY_OAUTH\)"):
        load_settings(workspace, {"MAILER_DELIVERY_OAUTH": '{provider = "google"}'})


@pytest.mark.parametrize("table", ["oauth = 5", "oauth = []"])
def test_what_is_no_table_is_told_in_plain_words(workspace: Path, table: str) -> None:
    (workspace / "mailer.toml").write_text(f"{CONFIG}{table}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"delivery\.oauth: is not a table such as"):
        load_settings(workspace, {})


def test_without_the_table_there_is_none(workspace: Path) -> None:
    assert load_settings(workspace, {}).delivery.oauth is None
