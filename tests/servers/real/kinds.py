"""The servers over which the contract runs."""

from __future__ import annotations

from typing import Final

from tests.servers.real.base import RealServer
from tests.servers.real.exim import Exim
from tests.servers.real.node import Haraka, Nodemailer
from tests.servers.real.opensmtpd import OpenSmtpd
from tests.servers.real.postfix import Postfix
from tests.servers.real.sendmail import Sendmail

__all__ = ["KINDS", "Kind"]

Kind = type[RealServer]
KINDS: Final[tuple[Kind, ...]] = (Postfix, Exim, OpenSmtpd, Sendmail, Haraka, Nodemailer)
