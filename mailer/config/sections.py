"""Defines the sections of mailer.toml. docs/mailer-toml.md is made from the descriptions of the keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, model_validator

from mailer.config.by_language import LineByLanguage, NameByLanguage, TextByLanguage, TitlePatternByLanguage
from mailer.config.fields import (
    ArchiveSetting,
    BareAddress,
    BaseUrl,
    Colour,
    Domain,
    FeedbackId,
    FrozenModel,
    HeloName,
    KeyFile,
    Language,
    NonEmpty,
    ReturnPath,
    Selector,
    Sender,
    TimeOfDay,
    TimeZone,
    TransportUrl,
)
from mailer.config.oauth import OAuthTable
from mailer.config.rates import DailyLimits, Date, HoldTime, RateLimits, Share, TimeSpan

__all__ = ["SECTIONS", "Brand", "Delivery", "Dkim", "Edition", "Pace", "Publication"]


class Publication(FrozenModel):
    """Holds `[publication]`: the name, addresses, language and time zone of the publication."""

    name: Annotated[NameByLanguage, Field(description="The name of the publication, in mails and on pages.")]
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
        NonEmpty,
        Field(
            description="The postal address in every footer, in one or several lines; most laws ask for it."
        ),
    ]
    base_url: Annotated[
        BaseUrl,
        Field(description="The public URL of `mailer serve`; every link begins with it."),
    ]
    timezone: Annotated[
        TimeZone,
        Field(description="The time zone of dates and times, in issues and on the command line."),
    ] = "UTC"
    language: Annotated[
        Language, Field(description="The language of an edition that has none of its own.")
    ] = "en"
    description: Annotated[
        LineByLanguage, Field(description="One sentence about the publication, for the public pages.")
    ] = TextByLanguage("")
    feedback_id: Annotated[
        FeedbackId,
        Field(
            description="The sender id in Feedback-ID, for Gmail's reports of complaints; "
            "otherwise made from the domain of the sender."
        ),
    ] = ""
    unsubscribe_mailto: Annotated[
        BareAddress | None,
        Field(
            description="An address beside the link of List-Unsubscribe, if somebody reads its mail "
            "([how](unsubscribe.md#leaving-by-mail))."
        ),
    ] = None

    @property
    def zone(self) -> ZoneInfo:
        """Returns the time zone of dates and times in issues and on the command line."""
        return ZoneInfo(self.timezone)


class Brand(FrozenModel):
    """Holds `[brand]`: the logo and the colours. `logo` is a file in the workspace or an https URL."""

    logo: Annotated[str, Field(description="A picture in the workspace, or an https URL.")] = ""
    logo_width: Annotated[int, Field(ge=16, le=600, description="The width of the logo in CSS pixels.")] = 120
    accent: Annotated[Colour, Field(description="The colour of links, numerals and rules.")] = "#b3261e"
    accent_dark: Annotated[
        Colour, Field(description="The colour of links, numerals and rules in dark mode.")
    ] = "#ff9d94"
    ink: Annotated[Colour, Field(description="The colour of text.")] = "#1d1d1f"
    paper: Annotated[Colour, Field(description="The colour behind text.")] = "#ffffff"
    background: Annotated[Colour, Field(description="The colour around the mail.")] = "#f2f2ef"


class Edition(FrozenModel):
    """Holds `[editions.NAME]`: the settings of a recurring publication, such as a morning edition.

    `layout` names a template in templates/email/. `time` is the usual time of sending, in the publication's
    time zone, for `send --at usual`. `archive` says what an issue's public page shows: see `public_page`.
    """

    name: Annotated[NameByLanguage, Field(description="The edition's name, as readers see it.")]
    title: Annotated[
        TitlePatternByLanguage,
        Field(description="The title of an issue that has none of its own."),
    ] = TextByLanguage("{edition}, {date}")
    layout: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9_-]*$",
            description="A template in templates/email/, such as morning, evening, feature, brief, digest.",
        ),
    ] = "morning"
    language: Annotated[
        Language | None, Field(description="The edition's language; otherwise the publication's.")
    ] = None
    time: Annotated[
        TimeOfDay, Field(description="The usual time of the edition, which `send --at usual` waits for.")
    ] = None
    description: Annotated[
        LineByLanguage, Field(description="One sentence about the edition, for the public pages.")
    ] = TextByLanguage("")
    rhythm: Annotated[
        Literal["daily", "weekly", "monthly"] | None,
        Field(
            description="How often the edition comes out, for the words of a theme that tell of a day, "
            "a week or a month.",
            # A dump of an edition without it is what it was before there were rhythms.
            exclude_if=lambda rhythm: rhythm is None,
        ),
    ] = None
    archive: Annotated[
        ArchiveSetting,
        Field(
            description='Whether each issue has a public page; with "variant" it shows what most readers got.'
        ),
    ] = True

    @property
    def public_page(self) -> Literal["everybody", "variant", "none"]:
        """Returns what the public page of an issue shows.

        It is "everybody" for the parts that all readers got, "variant" for what most readers got, and "none"
        if there is no page.
        """
        if self.archive == "variant":
            return "variant"
        return "everybody" if self.archive else "none"


class Delivery(FrozenModel):
    """Holds `[delivery]`: how messages are sent. `connections` is the number of connections open at once.

    `hold` is how long the canary of a campaign is watched; None waits for the operator. Mail that a server
    defers is tried again until `retry_for` is over. `helo` is the name for EHLO; '' stands for this machine's
    own name. With `oauth`, the user of the transport's URL logs in with an access token.
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
        HoldTime,
        Field(description='How long the canary of `send --canary` is watched; "ask" waits for a decision.'),
    ] = dt.timedelta(minutes=30)
    retry_for: Annotated[
        TimeSpan, Field(description="How long mail that a server defers is tried again.")
    ] = dt.timedelta(hours=24)
    return_path: Annotated[
        ReturnPath | None,
        Field(description="The address for bounces (the envelope sender); otherwise the sender."),
    ] = None
    helo: Annotated[
        HeloName,
        Field(description="The host name in EHLO; otherwise this machine's full name."),
    ] = ""
    oauth: Annotated[
        OAuthTable,
        Field(description="How to get the access token that replaces the SMTP password."),
    ] = None


class Pace(FrozenModel):
    """Holds `[pace]`: limits on how fast messages are sent, and when a campaign pauses itself.

    `limit` applies to all messages, `domains` to single receiving domains. `warm_up` has the largest number
    of messages for each day from `warm_up_start` on; after the last of these days there is no daily limit.
    `rejects` is the share of refusals (0 to 1) above which a campaign pauses.
    """

    limit: Annotated[
        RateLimits,
        Field(
            description='How many messages may be sent in a period, such as "20/s", or several such limits.'
        ),
    ] = ()
    domains: Annotated[
        Mapping[Domain, RateLimits],
        Field(description='The limits for single receiving domains, as in {"gmail.com" = "20/s"}.'),
    ] = Field(default_factory=dict)
    warm_up: Annotated[
        DailyLimits, Field(description="How many messages may be sent on each of the first days.")
    ] = ()
    warm_up_start: Annotated[Date, Field(description="The first day of the warm-up.")] = None
    rejects: Annotated[
        Share, Field(description="The share of refusals above which a campaign pauses itself.")
    ] = 0.1

    @model_validator(mode="after")
    def _check_warm_up_start(self) -> Self:
        if self.warm_up and self.warm_up_start is None:
            raise ValueError(
                "has a warm_up and no warm_up_start; add the first day: warm_up_start = 2026-11-21"
            )
        return self


class Dkim(FrozenModel):
    """Holds `[dkim]`: the settings of DKIM signatures (RFC 6376).

    `keys` has the path of a private key's file, relative to the workspace, for each selector, in the order of
    signing. `domain` is the signing domain in ASCII; '' stands for the domain of From.
    """

    domain: Annotated[
        Domain, Field(description="The domain that signs; otherwise the domain of the sender.")
    ] = ""
    keys: Annotated[
        Mapping[Selector, KeyFile],
        Field(description='The file of a private key for each selector, as in {s2026 = ".dkim/s.pem"}.'),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_domain_has_keys(self) -> Self:
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
