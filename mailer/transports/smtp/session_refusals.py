"""Distinguishes a refusal of the session, or of how a message was sent, from a refusal of the message.

RFC 2920 allows commands that are sent with the end of a message, and Haraka 3.3 refuses them. Other servers
accept a number of messages over one connection and no more.
"""

from __future__ import annotations

import re

from mailer.transports.refusal.refusal import Stage

__all__ = ["is_about_the_announcement", "is_about_the_session", "names_the_session"]

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
    """Returns whether a refusal says that a command came too early, and so says nothing about the message."""
    return code == 503 or bool(_ORDER.search(words.lower()))


def names_the_session(words: str) -> bool:
    """Returns whether the text of a refusal says that this session accepts no more messages."""
    return bool(_SESSION.search(words.lower())) and not _OF_THE_MAILBOX.match(words)


def is_about_the_announcement(
    stage: Stage, code: int, words: str, *, announced: bool, announces: bool
) -> bool:
    """Returns whether the announcement may have caused a refusal, so that the message is sent again without
    it.

    `announced`: its own commands came with the end of the message before. `announces`: the next one's came
    with its end. A refused MAIL says little about the message, so that any refusal of an announced MAIL may
    be due to that.
    """
    if code == 421:
        return False
    if stage is Stage.MESSAGE:
        return announces and is_about_command_order(code, words)
    if not announced:
        return False
    return is_about_command_order(code, words) or (stage is Stage.MAIL and not names_the_session(words))


def is_about_the_session(stage: Stage, code: int, words: str) -> bool:
    """Returns whether a refusal on a session that has carried a message may be about that session alone."""
    if code == 421 or (code <= 499 and stage is Stage.MAIL):
        return True
    return names_the_session(words)
