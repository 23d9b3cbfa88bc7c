"""Lists the deliveries of a campaign with the addresses of the readers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from mailer.audience.people import find
from mailer.audience.recipients import addresses_of
from mailer.services.workspace import Workspace
from mailer.spool.base import Spool
from mailer.spool.values import ListedDelivery

__all__ = ["addresses_in_state", "list_deliveries", "delivery_state_of", "subscriber_id_at"]

#: This number of addresses is looked up by one statement.
_AT_ONCE = 1000


def list_deliveries(
    workspace: Workspace, spool: Spool, *, state: str = "", address: str | None = None
) -> Iterator[tuple[ListedDelivery, str | None]]:
    """Yields the deliveries of a campaign, each with the reader's address, which is None if the reader was
    erased.

    `state` selects the deliveries in that state ("": all), and `address` the delivery to that address (None:
    all). Raises AudienceError for an invalid address.
    """
    only = None
    if address is not None:
        only = subscriber_id_at(workspace, address)
        if only is None:
            return
    found = spool.list_deliveries(state=state, only_person=only)
    while some := list(islice(found, _AT_ONCE)):
        addresses = addresses_of(workspace.db, [listed.person for listed in some])
        for listed in some:
            yield listed, addresses[listed.person]


def subscriber_id_at(workspace: Workspace, address: str) -> int | None:
    """Returns the id of the subscriber at an address; None if there is no such subscriber. Raises
    AudienceError for an invalid address."""
    person = find(workspace.db, address)
    return person.id if person else None


def delivery_state_of(workspace: Workspace, spool: Spool, address: str) -> str | None:
    """Returns the state of the delivery to an address; None if there is no such delivery. Raises
    AudienceError for an invalid address."""
    found = next(list_deliveries(workspace, spool, address=address), None)
    return found[0].state if found else None


def addresses_in_state(workspace: Workspace, spool: Spool, state: str, limit: int) -> tuple[str, ...]:
    """Returns the addresses of up to `limit` deliveries that are in the state `state`."""
    found = (address for _, address in list_deliveries(workspace, spool, state=state) if address)
    return tuple(islice(found, limit))
