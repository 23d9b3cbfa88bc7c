"""A message as a transport sees it, without the delivery stage behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailer.config import Mailbox
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext
from mailer.transports.base import LookaheadChannel, Outcome

__all__ = ["FakeEnvelope", "FakeMessage", "fake_rendition", "messages", "send_all"]

SENDER = Mailbox(name="晨报 Desk", address="desk@news.example.org")
REPLY_TO = Mailbox(address="editors@news.example.org")
NAME = ("subscriber.name",)
UNSUBSCRIBE = ("links.unsubscribe",)


def fake_rendition(variant: int = 0, text: str = "晨报") -> Rendition:
    """A small rendition with a slot of every kind that messages have."""
    return Rendition(
        variant=variant,
        language="zh",
        subject=RenditionPart((f"{text} ", ""), (Slot(NAME, "reader", SlotContext.HEADER),)),
        html=RenditionPart(
            ("<p>Dear ", f'</p><p>{text}</p><a href="', '">leave</a>'),
            (Slot(NAME, "reader", SlotContext.HTML), Slot(UNSUBSCRIBE, "", SlotContext.HREF)),
        ),
        text=RenditionPart(
            ("Dear ", f"\n{text}\n", "\n"),
            (Slot(NAME, "reader", SlotContext.TEXT), Slot(UNSUBSCRIBE, "", SlotContext.TEXT)),
        ),
        web="<p>nobody's</p>",
        theme="t",
    )


@dataclass(frozen=True)
class FakeEnvelope:
    sender: Mailbox = SENDER
    reply_to: Mailbox | None = REPLY_TO
    shared_headers: tuple[tuple[str, str], ...] = (
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Id", '"晨报" <morning.news.example.org>'),
        ("Precedence", "bulk"),
    )


ENVELOPE = FakeEnvelope()
RENDITION = fake_rendition()


@dataclass(frozen=True)
class FakeMessage:
    subscriber_id: int = 1
    address: str = "reader1@example.org"
    name: str = "Reader One"
    return_path: str = "bounces@news.example.org"
    rendition: Rendition = RENDITION
    envelope: FakeEnvelope = ENVELOPE
    body: bytes = b"Hello.\r\n"
    more: dict[str, str] = field(default_factory=dict)
    needs_dot_stuffing: bool = True

    @property
    def message_id(self) -> str:
        return f"<2026-11-21-morning.{self.subscriber_id}@news.example.org>"

    @property
    def reference(self) -> str:
        return f"7.{self.subscriber_id}"

    @property
    def values(self) -> dict[str, str]:
        link = f"https://news.example.org/u/token-{self.subscriber_id}"
        return {"subscriber.name": self.name, "links.unsubscribe": link, **self.more}

    @property
    def headers(self) -> dict[str, str]:
        return {"List-Unsubscribe": f"<{self.values['links.unsubscribe']}>"}

    def raw(self) -> bytes:
        head = f"Message-ID: {self.message_id}\r\nTo: {self.address}\r\nSubject: Hello\r\n\r\n"
        return head.encode() + self.body


def messages(count: int, **more: object) -> list[FakeMessage]:
    """Messages to reader1@example.org, reader2@example.org, …"""
    return [
        FakeMessage(subscriber_id=number, address=f"reader{number}@example.org", **more)  # type: ignore[arg-type]
        for number in range(1, count + 1)
    ]


def send_all(channel: LookaheadChannel, batch: list[FakeMessage]) -> list[Outcome]:
    """As a worker does: one at a time, each time saying what comes next."""
    outcomes: list[Outcome] = []
    for place, message in enumerate(batch):
        if place + 1 < len(batch):
            channel.set_next_message(batch[place + 1])
        outcomes += channel.send([message])
    return outcomes
