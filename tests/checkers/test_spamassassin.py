"""SpamAssassin gives the messages of the samples no point, as `mailer send` writes them without DKIM."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.checkers.sending import Sent
from tests.checkers.spamassassin import Verdict, verdicts

pytestmark = pytest.mark.spamassassin

SPAM = (
    "Dear friend, I am Barrister Johnson. The sum of US$25 million dollars is in a bank account of my late "
    "client. You are the next of kin. Buy cheap Viagra online now! 100% risk free, money back guarantee."
)


def with_text(message: bytes, text: str) -> bytes:
    """Returns the message with other words in both parts; all of its headers stay."""
    changed = email.message_from_bytes(message, policy=email.policy.SMTP)
    assert isinstance(changed, EmailMessage)
    for kind, body in (("plain", text), ("html", f"<html><body><p>{text}</p></body></html>")):
        part = changed.get_body((kind,))
        assert part is not None
        part.set_content(body, subtype=kind, charset="utf-8")
    return changed.as_bytes()


@pytest.fixture(scope="module")
def found(sent: Sent, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    """What SpamAssassin says about every message, and about one of them with the words of `SPAM`."""
    (name, message), *_ = sent.messages.items()
    spam = {"spam": with_text(message, SPAM), "harmless": with_text(message, "The cranes stand still today.")}
    assert name not in spam
    return verdicts({**sent.messages, **spam}, tmp_path_factory.mktemp("spamassassin"))


def test_no_sample_gets_a_point(sent: Sent, found: dict[str, Verdict]) -> None:
    assert {name: found[name] for name in sent.messages if found[name].score > 0} == {}


def test_the_messages_are_those_of_a_list_and_have_their_html_read(
    sent: Sent, found: dict[str, Verdict]
) -> None:
    """Both rules are met by what was read, so that a message that SpamAssassin cannot read is noticed."""
    for name in sent.messages:
        assert {"MAILING_LIST_MULTI", "HTML_MESSAGE"} <= set(found[name].rules)


def test_words_of_spam_get_points(found: dict[str, Verdict]) -> None:
    assert found["spam"].score > max(0, found["harmless"].score + 3)


def test_every_sample_has_messages_to_each_kind_of_reader(sent: Sent) -> None:
    slugs = [name.partition("/")[0] for name in sent.messages]
    samples = sorted(path.stem for path in (Path(__file__).parents[2] / "issues").glob("*.yaml"))
    assert {slug: slugs.count(slug) for slug in samples} == dict.fromkeys(samples, 4)
