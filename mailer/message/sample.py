"""Makes the sample message that an editor looks at. Its reader is invented; its links belong to nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from mailer.config import Settings
from mailer.language_tags import primary_language
from mailer.message.envelope import Envelope, Person
from mailer.message.message import Message, MessageTemplate
from mailer.render.rendition import Rendition

__all__ = ["sample_message"]

_ADDRESS: Final = "reader@example.org"
_NAME: Final = "Alex Reader"
#: The names of the invented reader in other languages.
_NAMES: Final[Mapping[str, str]] = {"zh": "林小满"}
_ATTRIBUTES: Final = "subscriber.attributes."


def sample_message(
    settings: Settings, rendition: Rendition, *, slug: str, edition: str, sent_at: datetime
) -> Message:
    """Returns the message to an invented reader, whose data fill every slot of the rendition.

    An attribute is shown as its default in the issue or the template. One without a default is shown as its
    own name.
    """
    language = rendition.language
    local = settings.in_language(language)
    envelope = Envelope(local, campaign_id=0, slug=slug, edition=edition, sent_at=sent_at)
    person = Person(
        0,
        _ADDRESS,
        _NAMES.get(primary_language(language), _NAME),
        language,
        _attributes_without_default(rendition),
    )
    return Message(MessageTemplate(rendition, envelope), person)


def _attributes_without_default(rendition: Rendition) -> dict[str, str]:
    """Returns a word for each attribute that a slot without a default shows, by the attribute's name."""
    paths = (
        path
        for part in (rendition.subject, rendition.html, rendition.text)
        for slot in part.slots
        if not slot.default
        for path in slot.paths
        if path.startswith(_ATTRIBUTES)
    )
    names = dict.fromkeys(path.removeprefix(_ATTRIBUTES) for path in paths)
    return {name: name.replace("_", " ").strip() or name for name in names}
