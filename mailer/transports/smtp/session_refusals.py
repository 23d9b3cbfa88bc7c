"""Tells a refusal of one message from a refusal of the session or of early commands.

Some servers refuse commands that are sent early, with the end of the previous message, which RFC 2920 allows
(Haraka 3.3 refuses them). Others accept a limited number of messages over one connection.
"""

from __future__ import annotations

import re

from mailer.transports.refusal.refusal import SmtpStage

__all__ = ["may_be_due_to_early_commands", "may_be_about_session_alone", "says_session_is_used_up"]

# Commands that came too early, in the words of Haraka, Exim, Postfix (postscreen), Sendmail and others.
_ORDER = re.compile(
    r"\b(?:bad|invalid|wrong|incorrect)\b.{0,12}\bsequence|\bsequence of commands|\bout of (?:order|sequence)"
    r"|\bpipelin|\bsynchroni[sz]|\bearly talk|\bunexpected (?:input|command|data)|\bnested mail"
    r"|\bprotocol error"
    r"|\b(?:must|need)s?\b.{0,12}\b(?:mail|rcpt|data|sender|recipient)s?\b.{0,20}\b(?:before|first|command)"
    r"|\b(?:mail|rcpt|sender|recipient)s? (?:command )?(?:first|must come first|required before)"
    r"|\b(?:talk|spoke|speak)\w* (?:too (?:early|soon)|out of turn)"
)

# The session is used up, and the sender is not refused: a new session can continue.
_SESSION = re.compile(
    r"^[45]\.(?:5\.3|4\.5)\b"
    r"|\btoo (?:many|much) (?:e?-?mails?|messages?|recipients?|transactions?|deliver\w+|commands?)\b"
    r"|\b(?:per|this|each|one|single|current|same|in|for the) (?:smtp |tcp )?(?:session|connection)\b"
    r"|\b(?:session|connection|transaction|messages?) (?:count |number )?(?:limit|quota|maximum)"
    r"|\b(?:maximum|max|limit)\b.{0,12}\b(?:number|count) of (?:messages|e?-?mails|transactions|recipients)"
    r"|\b(?:messages?|e?-?mails?|transactions?|sessions?|connections?)\b.{0,20}\b(?:exceeded|exhausted|reached)"
    r"|\bexceed\w*\b.{0,20}\b(?:messages|e?-?mails|transactions)\b"
    r"|\bno more (?:messages|e?-?mails|transactions|recipients)\b|\bsession\b.{0,20}\b(?:quota|spent)\b"
    r"|(?:单次|每次|一次|同一|本次)(?:smtp)?(?:连接|会话)"
    r"|\bdisconnect and\b"
    r"|\b(?:re-?connect|new (?:smtp )?(?:connection|session)|open another|start a new)"
)
_OF_THE_MAILBOX = re.compile(r"^[45]\.2\.")


def is_about_command_order(code: int, words: str) -> bool:
    """Returns whether a refusal says that a command came too early, so that it is not about the message."""
    return code == 503 or bool(_ORDER.search(words.lower()))


def says_session_is_used_up(words: str) -> bool:
    """Returns whether the text of a refusal says that this session accepts no more messages."""
    return bool(_SESSION.search(words.lower())) and not _OF_THE_MAILBOX.match(words)


def may_be_due_to_early_commands(
    stage: SmtpStage, code: int, words: str, *, was_sent_early: bool, next_was_sent_early: bool
) -> bool:
    """Returns whether a refusal may be due to commands that were sent with the end of the previous message.

    `was_sent_early` is True if the commands of the refused message were sent early, and `next_was_sent_early`
    if those of the next message were. Any refusal of an early MAIL may be due to this, because MAIL says
    little about the message.
    """
    if code == 421:
        return False
    if stage is SmtpStage.MESSAGE:
        return next_was_sent_early and is_about_command_order(code, words)
    if not was_sent_early:
        return False
    return is_about_command_order(code, words) or (
        stage is SmtpStage.MAIL and not says_session_is_used_up(words)
    )


def may_be_about_session_alone(stage: SmtpStage, code: int, words: str) -> bool:
    """Returns whether a refusal may be about the session and not about the message.

    It is called for sessions that have already carried a message.
    """
    if code == 421 or (code <= 499 and stage is SmtpStage.MAIL):
        return True
    return says_session_is_used_up(words)
