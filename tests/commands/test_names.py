"""A campaign of a publication with names by language: what readers see, and what the operator is told."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.cli import run
from tests.desk import ISSUE, SLUG, TEXT

pytestmark = pytest.mark.desk(readers="email\na@example.org\n")


@pytest.mark.parametrize(
    ("language", "name"), [("zh", "晨间快讯"), ("en", "Morning Watch"), ("fr", "Morning Watch")]
)
def test_a_mail_has_the_list_name_of_its_language(desk: Path, language: str, name: str) -> None:
    config = desk / "mailer.toml"
    text = config.read_text("utf-8")
    text = text.replace('name = "Morning Brief"', 'name = {zh = "晨间快讯", en = "Morning Watch"}')
    config.write_text(text, "utf-8")
    (desk / ISSUE).write_text(TEXT.replace("language: en", f"language: {language}"), "utf-8")
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert run(desk, "send", ISSUE, "--test", "b@example.org").status == 0
    messages = [
        message_from_bytes(path.read_bytes(), policy=default) for path in desk.glob("outbox/**/*.eml")
    ]
    assert len(messages) == 2
    for message in messages:
        assert message["List-Id"].replace('"', "").startswith(f"{name} <morning.")
        assert name in message["Subject"]
    assert run(desk, "campaigns", "verify", SLUG).status == 0
    # Another name afterwards changes nothing of what was sent.
    config.write_text(config.read_text("utf-8").replace("晨间快讯", "早报").replace("Watch", "Post"), "utf-8")
    assert run(desk, "campaigns", "verify", SLUG).status == 0
    assert run(desk, "render", ISSUE, "-o", "look").status == 0
    sample = message_from_bytes((desk / "look/message.eml").read_bytes(), policy=default)
    later = "早报" if language == "zh" else "Morning Post"
    assert sample["List-Id"].replace('"', "").startswith(f"{later} <")
