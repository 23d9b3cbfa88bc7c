"""The texts of refusals by meaning: for each row of a table, a text that no other row of the table finds."""

from __future__ import annotations

import pytest

from mailer.transports.refusal import wording
from mailer.transports.refusal.wording import fold_text, matches_any

#: By table, and in the order of its rows.
EXAMPLES = {
    "SENDER": [
        "Sender address rejected",
        "Invalid sender",
        "mail from your address",
        "originator address unknown",
        "sender callout failed",
        "Bounce address unknown",
        "O endereço do remetente não existe",
        "expéditeur inconnu",
        "Absender unbekannt",
        "Remitente desconocido",
        "mittente sconosciuto",
        "发件人地址不存在",
    ],
    "LIMIT": [
        "Ip frequency limited.",
        "rate limit exceeded",
        "limit of ten in an hour",
        "only 5 messages per minute",
        "message throttled",
        "Too many concurrent SMTP connections",
        "receiving mail too quickly",
        "slow down",
        "please try again",
        "server busy",
        "Account temporarily disabled",
        "max messages per session",
        "veuillez réessayer",
        "limite journalière dépassée",
        "Zu viele Verbindungen",
        "vorübergehend nicht erreichbar",
        "Demasiadas conexiones",
        "riprovare più tardi",
        "连接数过多",
        "しばらくしてから再送してください",
        "слишком много писем",
    ],
    "FOR_GOOD": ["permanently refused"],
    "SPAM": [
        "spam detected",
        "client is on a blacklist",
        "listed at zen.example.org",
        "blocked using zen.example.org",
        "courrier indésirable",
        "la IP está en una lista negra",
        "垃圾邮件",
    ],
    "GREYLISTED": ["greylisted"],
    "FULL": [
        "overquota",
        "out of disk space",
        "extended quota",
        "mailbox is full",
        "mailbox size limit",
        "insufficient storage",
        "La boîte aux lettres est pleine",
        "Das Postfach ist voll",
        "Kontingent überschritten",
        "Buzón lleno",
        "Casella piena",
        "Skrzynka odbiorcy jest przepełniona",
        "메일함이 가득 찼습니다",
        "邮箱已满",
        "メールボックスがいっぱいです",
        "Почтовый ящик переполнен",
    ],
    "OURS": [
        "your account is closed",
        "Organization queue quota exceeded",
        "sending account disabled",
        "Votre compte est désactivé",
        "您的邮箱不存在",
    ],
    "SHUT": [
        "user suspended",
        "inactive mailbox",
        "recipient address rejected: blocked",
        "rejected by the recipient",
        "the recipient has blocked you",
        "envelope blocked - user entry",
        "only accepts mail from approved senders",
        "recipient unavailable",
        "casella disabilitata",
        "Le compte est suspendu",
        "Konto gesperrt",
        "La cuenta está suspendida",
        "vom Empfänger abgelehnt",
        "收件人拒收",
        "用户已被冻结",
        "ящик временно заблокирован",
    ],
    "ABSENT": [
        "Invalid recipient",
        "User unknown",
        "Account deactivated",
        "we do not have a mailbox",
        "◊ does not exist",
        "unrouteable address",
        "there is no one here",
        "not in recipient list",
        "can't find that user",
        "invalid rcptto",
        "is no longer employed",
        "unknown local-part",
        "Utilisateur inconnu",
        "n'existe plus",
        "Benutzer unbekannt",
        "Unbekannter Benutzer",
        "El buzón no existe",
        "No existe el usuario",
        "Utente sconosciuto",
        "Conta inexistente",
        "Onbekende gebruiker",
        "konto nie istnieje",
        "Schránka neexistuje",
        "사용자를 찾을 수 없습니다",
        "Gebruiker onbekend",
        "用户不存在",
        "宛先不明",
        "Пользователь не найден",
        "нет такого пользователя",
    ],
    "LOGIN": [
        "Relaying denied",
        "authentication is required",
        "not logged in",
        "wrong password",
        "Sie sind nicht angemeldet",
        "check your login",
        "send anonymous mail",
        "authentification obligatoire",
        "Authentifizierung erforderlich",
        "Autenticación requerida",
        "需要身份验证",
    ],
    "TROUBLE": ["Connection timed out", "internal error", "directory unavailable"],
    "UNAVAILABLE": ["mailbox unavailable", "recipient is not available"],
}
#: Of ABOUT_US, the rows after those of SPAM and LOGIN.
ABOUT_US = [
    "banned",
    "rejected by policy",
    "reverse address not found",
    "IP地址无效",
    "not permitted",
    "client host rejected",
    "malformed",
    "message is too large",
    "your server",
    "politique locale",
    "拒绝访问",
]
TABLES = {name: getattr(wording, name) for name in EXAMPLES}


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, texts in EXAMPLES.items() for number in range(len(texts))]
)
def test_each_row_finds_a_text_that_no_other_row_of_its_table_finds(name: str, number: int) -> None:
    text = fold_text(EXAMPLES[name][number])
    assert [n for n, row in enumerate(TABLES[name]) if matches_any((row,), text)] == [number]
    assert matches_any(TABLES[name], text)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_row_has_its_text(name: str) -> None:
    assert len(EXAMPLES[name]) == len(TABLES[name])


@pytest.mark.parametrize("text", [*EXAMPLES["SPAM"], *EXAMPLES["LOGIN"], *ABOUT_US])
def test_spam_a_login_and_a_policy_are_about_us(text: str) -> None:
    assert matches_any(wording.ABOUT_US, fold_text(text))


@pytest.mark.parametrize("number", range(len(ABOUT_US)))
def test_each_row_about_us_finds_a_text_that_no_other_row_finds(number: int) -> None:
    text = fold_text(ABOUT_US[number])
    before = len(wording.SPAM) + len(wording.LOGIN)
    assert len(wording.ABOUT_US) == before + len(ABOUT_US)
    found = [n for n, row in enumerate(wording.ABOUT_US) if matches_any((row,), text)]
    assert found == [before + number]


@pytest.mark.parametrize("table", [*TABLES.values(), wording.ABOUT_US])
def test_words_that_say_nothing_are_in_no_table(table: tuple[str, ...]) -> None:
    assert not matches_any(table, "")
    assert not matches_any(table, "no")
    assert not matches_any(table, "requested action aborted")


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("User Unknown", "user unknown"),
        ("BOÎTE À LETTRES", "boite a lettres"),
        ("bo\u0069\u0302te", "boite"),
        ("n’existe", "n'existe"),
        ("n‘existe", "n'existe"),
        ("n´existe", "n'existe"),
        ("n`existe", "n'existe"),
        ("N`EXISTE À", "n'existe a"),
        ("пользователЙ", "пользователи"),
        ("찾을 수", "찾을 수"),
        ("ＳＰＡＭ", "spam"),
        ("", ""),
    ],
)
def test_accents_capitals_and_kinds_of_apostrophes_make_no_difference(text: str, folded: str) -> None:
    assert fold_text(text) == folded


def test_a_pattern_may_have_accents_itself() -> None:
    assert matches_any(("boîte|où",), fold_text("Boîte"))
    assert matches_any(("boîte|où",), "ou")
    assert matches_any(("aucun", "n’existe"), "n'existe")
    assert not matches_any(("aucun", "n’existe"), "existe")
