"""What the connections of one transport find out about its server, each for all of them.

Servers differ in two things that no reply to EHLO tells: whether they take commands that come together with
the end of a message (RFC 2920 allows it, Haraka 3.3 refuses it), and how many messages they take over one
connection.
"""

from __future__ import annotations

import re
import threading
from typing import Final

from mailer.errors import TransportError
from mailer.transports.refusal.refusal import Stage
from mailer.transports.smtp.comparing import Comparison

__all__ = ["MESSAGES_PER_CONNECTION", "Learned", "is_about_the_announcement", "is_about_the_session"]

#: A connection is replaced after so many messages. Large receivers ask for an end at some point (Yahoo: 20).
MESSAGES_PER_CONNECTION: Final = 100
#: So many connections that were lost with an announcement, and none that took one, are no chance.
_MOST_LOST: Final = 3
#: So many readers in a row are tried over a fresh session in vain, before it is the readers' own matter.
_MOST_IN_VAIN: Final = 3

# Commands that came too early, in the words of Haraka, Exim, Postfix (postscreen), Sendmail and others.
_ORDER = re.compile(
    r"\b(?:bad|invalid|wrong|incorrect)\b.{0,12}\bsequence|\bsequence of commands|\bout of (?:order|sequence)"
    r"|\bpipelin|\bsynchroni[sz]|\bearly talk|\bunexpected (?:input|command|data)|\bnested mail"
    r"|\bprotocol error"
    r"|\b(?:must|need)s?\b.{0,12}\b(?:mail|rcpt|data|sender|recipient)s?\b.{0,20}\b(?:before|first|command)"
    r"|\b(?:mail|rcpt|sender|recipient)s? (?:command )?(?:first|must come first|required before)"
    r"|\b(?:talk|spoke|speak)\w* (?:too (?:early|soon)|out of turn)"
)

# What is spent is the session, not the sender's welcome: a fresh one goes on.
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


def speaks_of_order(code: int, words: str) -> bool:
    """Whether a refusal says that a command came too early, and so nothing of the message."""
    return code == 503 or bool(_ORDER.search(words.lower()))


def speaks_of_the_session(words: str) -> bool:
    """Whether a refusal says by its words that it is this session which takes nothing more."""
    return bool(_SESSION.search(words.lower())) and not _OF_THE_MAILBOX.match(words)


def is_about_the_announcement(
    stage: Stage, code: int, words: str, *, announced: bool, announces: bool
) -> bool:
    """Whether a refusal may be one of how the message was sent, so that it is to be sent again unannounced.

    `announced`: its own commands came with the end of the message before. `announces`: the next one's came
    with its end. MAIL says little of the message, so that any refusal of an announced one may be of that.
    """
    if code == 421:
        return False
    if stage is Stage.MESSAGE:
        return announces and speaks_of_order(code, words)
    if not announced:
        return False
    return speaks_of_order(code, words) or (stage is Stage.MAIL and not speaks_of_the_session(words))


def is_about_the_session(stage: Stage, code: int, words: str) -> bool:
    """Whether a refusal on a session that has carried a message may be a refusal of that session alone."""
    if code == 421 or (code <= 499 and stage is Stage.MAIL):
        return True
    return speaks_of_the_session(words)


class Learned:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._comparison = Comparison()
        self._lost = self._unanswered = 0
        self._unconfirmed = 0
        self._refuses = False
        #: One connection logs in before the others, so that a wrong password is tried once.
        self.first_login = threading.Lock()
        self.logged_in = False
        self.login_refused: TransportError | None = None
        #: Whether there was ever a connection, and why there is none where finding that out took long.
        self.connected = False
        self.silent: TransportError | None = None
        #: Whether an announced message was ever taken, so that announcements are known to be answered.
        self.answers_announcements = False
        self._vain = 0
        #: So many messages are sent over one connection.
        self.most_messages = MESSAGES_PER_CONNECTION

    def may_announce(self) -> bool:
        """Whether the next message is to be announced with the end of the one before."""
        return not self._refuses and self._comparison.way()

    def refuses_announcements(self) -> None:
        """The server does not take them: there will be none any more."""
        self._refuses = True

    def announcement_taken(self) -> None:
        """An announced message was answered as any other."""
        self.answers_announcements = True

    def announcement_lost(self, *, unanswered: bool = False) -> None:
        """A connection ended after an announcement and before any answer to it.

        `unanswered`: it was waited for in vain, which takes so long that it counts also where others are
        answered: several servers may share an address.
        """
        with self._lock:
            self._lost += 1
            self._unanswered += unanswered
            if self._unanswered >= _MOST_LOST or (
                self._lost >= _MOST_LOST and not self.answers_announcements
            ):
                self._refuses = True

    @property
    def may_try_fresh(self) -> bool:
        """Whether a refusal for now that does not speak of the session may be tried over a fresh one."""
        return self._vain < _MOST_IN_VAIN

    def tried_fresh(self, *, helped: bool) -> None:
        """A message that was refused for now, without a word of the session, was tried over a fresh one."""
        with self._lock:
            self._vain = 0 if helped else self._vain + 1

    def took(self, announced: bool, seconds: float) -> None:
        """A message was accepted, and its transaction took so long."""
        if not self._refuses:
            self._comparison.note(announced, seconds)

    def spent(self, messages: int, words: str) -> None:
        """A session took so many messages and no more, in these words, and a fresh one took the next.

        Where the words speak of the session, or it is the same number twice, no later one is asked for more.
        """
        with self._lock:
            if messages < 1:
                return
            if speaks_of_the_session(words) or self._unconfirmed == messages:
                self.most_messages = min(self.most_messages, messages)
            self._unconfirmed = messages
