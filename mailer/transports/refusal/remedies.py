"""Lists refusals whose text is about the sender, and what to do about each of them.

Such a refusal stops a campaign at once, because every further message would be refused too and would harm the
reputation of the sender. Each row has a pattern, an instruction, and the URL of the provider's page. The
pattern is applied to the code and text of a reply, folded by `wording.fold_text`. The first row that matches
decides.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from mailer.transports.refusal.wording import fold_text

__all__ = ["REMEDIES", "Remedy", "remedy_for"]


class Remedy(NamedTuple):
    """Represents a row of the table: what to do about a refusal that matches `pattern`.

    `todo` is the instruction, without a full stop, and `source` the URL of the page that explains it.
    """

    provider: str
    pattern: str
    todo: str
    source: str


_GMAIL = "https://support.google.com/a/answer/3726730"
_GMAIL_RULES = "https://support.google.com/mail/answer/81126"
_MICROSOFT = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online"
)
_OUTLOOK = "https://sendersupport.olc.protection.outlook.com/pm/"
_BASIC = (
    "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/"
    "deprecation-of-basic-authentication-exchange-online"
)
_YAHOO = "https://senders.yahooinc.com/smtp-error-codes/"

# A code as it stands at the beginning of a reply: "550 5.7.26 …", "421-4.7.0 …", "553 Mail not allowed - 5.7.1 …".
_AT = r"^[45][0-9][0-9][ -](?:[^0-9]{0,60})[45]\."

REMEDIES: Final = (
    Remedy(
        "Microsoft",
        _AT
        + r"7\.30\b.*\bbasic auth|\bbasic authentication is (?:disabled|not supported)|^53[0-9] 5\.7\.30\b",
        "the server no longer accepts passwords: log in by OAuth (`[delivery.oauth]` in mailer.toml)",
        _BASIC,
    ),
    Remedy(
        "Microsoft",
        _AT + r"7\.139\b",
        "this mailbox may not log in by SMTP: allow authenticated SMTP for it, or log in by OAuth "
        "(`[delivery.oauth]` in mailer.toml)",
        _BASIC,
    ),
    Remedy(
        "Microsoft",
        _AT + r"7\.57\b|\bclient (?:was |is )?not authenticated to send\b",
        "the server requires a login: put the user into the transport's URL (smtp://user@host:587) and set "
        "MAILER_SMTP_PASSWORD, or use `[delivery.oauth]`",
        _MICROSOFT,
    ),
    Remedy(
        "Microsoft",
        _AT + r"7\.60\b.*\bsend as\b|\bsendasdenied\b",
        "the user may not send as the publication's address: grant the permission Send As, or change `from`",
        _MICROSOFT,
    ),
    Remedy(
        "Microsoft",
        _AT + r"7\.(?:515|509)\b",
        "publish SPF, DKIM and DMARC for the domain of `from`, all three passing and aligned "
        "(`mailer doctor` checks this)",
        _MICROSOFT,
    ),
    Remedy(
        "Microsoft",
        _AT + r"7\.6[0-4][0-9]\b|\bbanned sending ip\b",
        "the sending IP is banned: ask for its removal at https://sender.office.com",
        _MICROSOFT,
    ),
    Remedy(
        "Microsoft",
        _AT + r"7\.(?:650|651)\b|\brate limited due to ip reputation\b",
        "the sending IP has a poor reputation at Microsoft: send less for some days (`[pace]`), look up the IP in "
        "SNDS, and ask Microsoft's support",
        _OUTLOOK,
    ),
    Remedy(
        "Microsoft",
        r"\(s31[45][0-9]\)|\bpart of their network is on our block list\b",
        "the sending IP or its network is on Microsoft's block list: ask the server's operator to request its removal",
        _OUTLOOK,
    ),
    Remedy(
        "Microsoft",
        _AT + r"7\.7[0-9]{2}\b|^5[0-9][0-9] 5\.7\.(?:50[123]|511|6[5-9][0-9])\b",
        "the account or the sending IP is blocked at Microsoft: check the administrator's portal, and ask "
        "Microsoft's support",
        _MICROSOFT,
    ),
    Remedy(
        "Yahoo",
        r"\[(?:tss|ts)[0-9]{2}\]",
        "too many complaints or too much mail from the sending IP: send less for some hours (`[pace]`), and if "
        "this lasts, ask Yahoo's sender support",
        _YAHOO,
    ),
    Remedy(
        "Yahoo",
        r"\[(?:ph|bl)[0-9]{2}\]|^5[0-9][0-9] 5\.7\.9\b",
        "Yahoo refuses the sender by policy: make sure that SPF, DKIM and DMARC pass (`mailer doctor` checks this) and that the "
        "IP is on no block list",
        _YAHOO,
    ),
    Remedy(
        "Gmail",
        _AT + r"7\.25\b",
        "give the sending IP a PTR record whose name resolves to the IP; the server's operator can do that",
        _GMAIL_RULES,
    ),
    Remedy(
        "Gmail",
        _AT + r"7\.(?:23|24|27)\b",
        "publish an SPF record for the domain of `from` that names the sending server (`mailer doctor` checks this)",
        _GMAIL_RULES,
    ),
    Remedy(
        "Gmail",
        _AT + r"7\.(?:20|21|22|30)\b",
        "sign with DKIM and publish its key (`mailer doctor` checks this)",
        _GMAIL_RULES,
    ),
    Remedy(
        "Gmail",
        _AT + r"7\.26\b",
        "publish SPF and DKIM for the domain of `from`, so that one of them passes (`mailer doctor` checks this)",
        _GMAIL_RULES,
    ),
    Remedy(
        "Gmail",
        _AT + r"7\.(?:3[1-9]|40)\b",
        "publish a DMARC record, and let SPF or DKIM pass for the domain of `from` itself (`mailer doctor` checks this)",
        _GMAIL_RULES,
    ),
    Remedy(
        "Gmail",
        _AT + r"7\.29\b",
        "the server must deliver mail over TLS: ask the server's operator",
        _GMAIL,
    ),
    Remedy(
        "Gmail",
        _AT + r"7\.28\b|\bunusual rate of unsolicited mail\b",
        "Gmail temporarily limits mail from the sending IP or domain: send more slowly (`[pace]`), and look at Postmaster Tools",
        _GMAIL_RULES,
    ),
    Remedy(
        "Gmail",
        r"\b[45]\.7\.[01]\b.*\b(?:low reputation of the sending|message is (?:likely )?suspicious due to)",
        "the sending domain or IP has a poor reputation at Gmail: send to the most recent readers first, more slowly "
        "(`[pace]`), and look at Postmaster Tools",
        _GMAIL_RULES,
    ),
    Remedy(
        "SMTP",
        r"^the server offers no smtputf8, which the sender's address needs",
        "use a plain ASCII address in `from` and `return_path`, or a server that offers SMTPUTF8",
        "https://www.rfc-editor.org/rfc/rfc6531",
    ),
)


@cache
def _compiled_remedies() -> tuple[tuple[re.Pattern[str], Remedy], ...]:
    return tuple((re.compile(row.pattern), row) for row in REMEDIES)


def remedy_for(reply: str) -> Remedy | None:
    """Returns the first row of the table that matches a refusal. `reply` is the code and text of the refusal.

    Returns None if no row matches: the refusal does not stop a campaign.
    """
    folded = fold_text(reply)
    return next((row for pattern, row in _compiled_remedies() if pattern.search(folded)), None)
