"""Defines the sections of mailer.toml, each key with a description, the source of docs/mailer-toml.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, model_validator

from mailer.config.fields import (
    Archive,
    BaseUrl,
    Colour,
    Domain,
    Filled,
    Frozen,
    Helo,
    KeyFile,
    Language,
    Line,
    Name,
    ReturnPath,
    Selector,
    Sender,
    TimeOfDay,
    TimeZone,
    TitlePattern,
    TransportUrl,
)
from mailer.config.oauth import OAuthTable
from mailer.config.rates import Day, Days, Hold, Limits, Share, Span

__all__ = ["SECTIONS", "Brand", "Delivery", "Dkim", "Edition", "Pace", "Publication"]


class Publication(Frozen):
    """Holds `[publication]`: the publisher's name, addresses, languages and time zone."""

    name: Annotated[Name, Field(description="The name of the publication, in mails and on pages.")]
    sender: Annotated[
        Sender,
        Field(
            alias="from",
            description='The sender of every mail, as in "Harbour Brief <desk@news.example.org>".',
        ),
    ]
    reply_to: Annotated[
        Sender | None, Field(description="The address for replies; otherwise the sender.")
    ] = None
    postal_address: Annotated[
        Filled,
        Field(
            description="The postal address in every footer, in one or several lines; most laws ask for it."
        ),
    ]
    base_url: Annotated[
        BaseUrl,
        Field(description="The public address of `mailer serve`; every link begins with it."),
    ]
    timezone: Annotated[
        TimeZone,
        Field(description="The time zone of dates and times, in issues and on the command line."),
    ] = "UTC"
    language: Annotated[
        Language, Field(description="The language of an edition that has none of its own.")
    ] = "en"
    description: Annotated[
        Line, Field(description="One sentence about the publication, for the public pages.")
    ] = ""

    @property
    def zone(self) -> ZoneInfo:
        """Returns the time zone of dates and times in issues and on the command line."""
        return ZoneInfo(self.timezone)


class Brand(Frozen):
    """Holds `[brand]`: the logo and the colours. `logo` is a picture in the workspace or an https address."""

    logo: Annotated[str, Field(description="A picture in the workspace, or an https address.")] = ""
    logo_width: Annotated[int, Field(ge=16, le=600, description="The width of the logo in CSS pixels.")] = 120
    accent: Annotated[Colour, Field(description="The colour of links, numerals and rules.")] = "#b3261e"
    accent_dark: Annotated[
        Colour, Field(description="The colour of links, numerals and rules in dark mode.")
    ] = "#ff9d94"
    ink: Annotated[Colour, Field(description="The colour of text.")] = "#1d1d1f"
    paper: Annotated[Colour, Field(description="The colour behind text.")] = "#ffffff"
    background: Annotated[Colour, Field(description="The colour around the mail.")] = "#f2f2ef"


class Edition(Frozen):
    """Holds `[editions.NAME]`: a recurring publication slot. `layout` names a template of templates/email/.

    `time` is its usual time in the workspace's zone, for `send --at usual`. `archive` says
    what the public page of an issue shows, see `public_page`.
    """

    name: Annotated[Name, Field(description="The edition's name, as readers see it.")]
    title: Annotated[
        TitlePattern,
        Field(description="The title of an issue that has none of its own."),
    ] = "{edition}, {date}"
    layout: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9_-]*$",
            description="The template in templates/email/ that the edition is rendered with.",
        ),
    ] = "morning"
    language: Annotated[
        Language | None, Field(description="The edition's language; otherwise the publication's.")
    ] = None
    time: Annotated[
        TimeOfDay, Field(description="The usual time of the edition, which `send --at usual` waits for.")
    ] = None
    description: Annotated[
        Line, Field(description="One sentence about the edition, for the public pages.")
    ] = ""
    archive: Annotated[
        Archive,
        Field(
            description='Whether each issue has a public page; with "variant" it shows what most readers got.'
        ),
    ] = True

    @property
    def public_page(self) -> Literal["everybody", "variant", "none"]:
        """Returns what the public page shows: "everybody" (what all readers got), "variant" or "none".

        With "variant" it shows what most readers got; with "none" there is no page.
        """
        if self.archive == "variant":
            return "variant"
        return "everybody" if self.archive else "none"


class Delivery(Frozen):
    """Holds `[delivery]`: how messages are sent. `connections` is how many are open at once.

    `hold` is how long the canary of a campaign is watched; None waits for the operator. Mail that a server
    defers is tried again for `retry_for`, and then given up. `helo` is the name in EHLO; '' stands for
    this machine's own name. With `oauth`, the user of the transport's URL logs in with an access token.
    """

    transport: Annotated[
        TransportUrl,
        Field(description="The transport: outbox:FOLDER, smtp://user@host:587, smtps://… or sendgrid:."),
    ] = "outbox:outbox"
    connections: Annotated[int, Field(ge=1, le=100, description="How many connections are open at once.")] = 8
    uncertain: Annotated[
        Literal["hold", "resend"],
        Field(description="What happens to messages that were in flight when a run was interrupted."),
    ] = "hold"
    hold: Annotated[
        Hold,
        Field(description='How long the canary of `send --canary` is watched; "ask" waits for a decision.'),
    ] = dt.timedelta(minutes=30)
    retry_for: Annotated[Span, Field(description="How long mail that a server defers is tried again.")] = (
        dt.timedelta(hours=24)
    )
    return_path: Annotated[
        ReturnPath | None,
        Field(description="The address for bounces (the envelope sender); otherwise the sender."),
    ] = None
    helo: Annotated[
        Helo,
        Field(description="The host name in EHLO; otherwise this machine's full name."),
    ] = ""
    oauth: Annotated[
        OAuthTable,
        Field(description="How to get the access token that replaces the SMTP password."),
    ] = None


class Pace(Frozen):
    """Holds `[pace]`: how fast messages may be sent, in all and for a domain, and when a campaign pauses.

    `warm_up` is the number of messages on each day from `warm_up_start` on; after the last there is no cap.
    `rejects` is the share of refusals (0 to 1) above which a campaign pauses.
    """

    limit: Annotated[
        Limits,
        Field(
            description='How many messages may be sent in a period, such as "20/s", or several such limits.'
        ),
    ] = ()
    domains: Annotated[
        Mapping[Domain, Limits],
        Field(description='The limits for single receiving domains, as in {"gmail.com" = "20/s"}.'),
    ] = Field(default_factory=dict)
    warm_up: Annotated[
        Days, Field(description="How many messages may be sent on each of the first days.")
    ] = ()
    warm_up_start: Annotated[Day, Field(description="The first day of the warm-up.")] = None
    rejects: Annotated[
        Share, Field(description="The share of refusals above which a campaign pauses itself.")
    ] = 0.1

    @model_validator(mode="after")
    def _a_warm_up_begins(self) -> Self:
        if self.warm_up and self.warm_up_start is None:
            raise ValueError(
                "has a warm_up and no warm_up_start; add the first day: warm_up_start = 2026-11-21"
            )
        return self


class Dkim(Frozen):
    """Holds `[dkim]`: signatures (RFC 6376), a private key's file for each selector, in the order of signing.

    `domain` is what signs, in ASCII; '' stands for the domain of From. A file is relative to the workspace.
    """

    domain: Annotated[
        Domain, Field(description="The domain that signs; otherwise the domain of the sender.")
    ] = ""
    keys: Annotated[
        Mapping[Selector, KeyFile],
        Field(description='The file of a private key for each selector, as in {s2026 = ".dkim/s.pem"}.'),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _a_domain_has_keys(self) -> Self:
        if self.domain and not self.keys:
            raise ValueError('has a domain and no keys; add keys = { s2026 = ".dkim/s2026.pem" }')
        return self


SECTIONS: dict[str, type[BaseModel]] = {
    "publication": Publication,
    "brand": Brand,
    "delivery": Delivery,
    "pace": Pace,
    "dkim": Dkim,
}
