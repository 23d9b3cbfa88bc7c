"""What one can do about subscribers, as functions with typed results, without the command line."""

from __future__ import annotations

import io
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from mailer.audience.exchange.addresses import read_addresses
from mailer.audience.people import find
from mailer.config import Settings
from mailer.errors import AudienceError, InputError, SegmentError
from mailer.services.readers.erase import erase_person
from mailer.services.subscribers.adding import AdditionRequest, PersonChanges, add_person, edit_people
from mailer.services.subscribers.address_change import change_address
from mailer.services.subscribers.history import person_history
from mailer.services.subscribers.importing import ImportProgress, ImportRequest, import_lists
from mailer.services.subscribers.leaving import (
    AddressList,
    suppress_address,
    suppress_list,
    unsubscribe_list,
    unsubscribe_person,
)
from mailer.services.subscribers.listing import SubscriberFilter, export_people, list_people
from mailer.services.subscribers.restoring import restore_bounced_person, restore_people_bounced_in_campaign
from mailer.store.database import open_store
from tests.faults.conftest import bound_by_permissions

ANN = "ann@example.org"


@pytest.fixture
def desk(settings: Settings, workspace: Path) -> Settings:
    """The settings of a workspace with Ann, who reads morning and evening, and Bo, who bounced."""
    (workspace / "list.csv").write_text(
        "email,name,tags,editions,status\nann@example.org,Ann,vip,morning;evening,\n"
        "bo@example.org,Bo,vip,morning,bounced\n"
    )
    import_lists(settings, ImportRequest(workspace / "list.csv"))
    return settings


def test_an_import_tells_its_progress_by_name_and_its_counts(settings: Settings, workspace: Path) -> None:
    path = workspace / "list.csv"
    path.write_text("email\nann@example.org\nbad\n")
    told: list[ImportProgress] = []
    imported = import_lists(settings, ImportRequest(path, editions=("morning",)), told.append)
    size = path.stat().st_size
    assert told == [ImportProgress("list.csv", 2, size, size)]
    assert imported.has_refused_rows
    assert (imported.counts["rows"], imported.counts["added"], imported.counts["refused"]) == (2, 1, 1)
    document = imported.to_json()
    assert (document["file"], document["added"], document["refused_file"]) == (
        "list.csv", 1, "list.refused.csv",
    )  # fmt: skip


@pytest.mark.parametrize(
    "request_",
    [
        {"editions": ("mornin",)},
        {"status": "activ"},
        {"encoding": "cp12521"},
        {"dates": "ymd"},
        {"maps": ("x",)},
    ],
)
def test_a_wrong_request_imports_nothing(desk: Settings, request_: dict[str, object]) -> None:
    path = desk.root / "more.csv"
    path.write_text("email\ncy@example.org\n")
    with pytest.raises(AudienceError):
        import_lists(desk, ImportRequest(path, **request_))  # type: ignore[arg-type]
    assert [person.address for person in list_people(desk, SubscriberFilter())] == [ANN, "bo@example.org"]


def test_a_wrong_choice_is_told_before_anything_is_listed_or_opened(desk: Settings) -> None:
    @contextmanager
    def opened():
        raise AssertionError("it was opened")
        yield

    for choice, error in (
        (SubscriberFilter(status="activ"), AudienceError),
        (SubscriberFilter(edition="mornin"), AudienceError),
        (SubscriberFilter(segment="x ="), SegmentError),
    ):
        with pytest.raises(error):
            list_people(desk, choice)
        with pytest.raises(error):
            export_people(desk, choice, opened())


def test_an_export_gives_its_name_and_its_number(desk: Settings) -> None:
    file = io.StringIO()
    exported = export_people(desk, SubscriberFilter(status="active"), nullcontext(file), file_name="out.csv")
    assert exported.to_json() == {"file": "out.csv", "exported": 1}
    assert len(file.getvalue().splitlines()) == 2


def test_a_read_only_workspace_is_listed_exported_and_shown(desk: Settings) -> None:
    with bound_by_permissions():
        desk.database.chmod(0o444)
        desk.root.chmod(0o555)
        try:
            assert [person.name for person in list_people(desk, SubscriberFilter())] == ["Ann", "Bo"]
            assert export_people(desk, SubscriberFilter(), nullcontext(io.StringIO())).number == 2
            assert person_history(desk, ANN).to_json()["name"] == "Ann"
            with pytest.raises(Exception, match="read-only"):
                unsubscribe_person(desk, ANN)
        finally:
            desk.root.chmod(0o755)
            desk.database.chmod(0o644)


def test_an_addition_tells_what_was_cleared(desk: Settings) -> None:
    added = add_person(
        desk, AdditionRequest("cy@example.org", PersonChanges(name="Cy", attributes=("seat=4",)))
    )
    assert (added.before, added.to_json()["added"]) == (None, True)
    assert added.person.editions == ("evening", "feature", "morning")
    changed = add_person(desk, AdditionRequest(ANN, PersonChanges(tags=("press",))))
    assert changed.before
    assert (changed.before.tags, changed.person.tags) == (("vip",), ("press",))
    assert changed.removed_tags_and_attributes == {"tags": ["vip"], "attributes": []}


@pytest.mark.parametrize(
    "description",
    [PersonChanges(), PersonChanges(name="All"), PersonChanges(tags=("a",)), PersonChanges(language="en")],
)
def test_a_segment_takes_tags_and_attributes_alone(desk: Settings, description: PersonChanges) -> None:
    with pytest.raises(InputError):
        edit_people(desk, '"vip" in tags', description)
    assert edit_people(desk, '"vip" in tags', PersonChanges(add_tags=("new",))).to_json() == {
        "segment": '"vip" in tags', "matched": 2, "changed": 2,
    }  # fmt: skip


def test_one_address_and_a_list_leave_and_are_suppressed(desk: Settings) -> None:
    assert unsubscribe_person(desk, ANN, edition="morning").person.editions == ("evening",)
    some = AddressList("x", read_addresses(b"ann@example.org\nno address\nstranger@example.org\n", "x"))
    left = unsubscribe_list(desk, some)
    assert (left.outcome.changed, left.outcome.unknown, len(left.unreadable)) == (
        1,
        ["stranger@example.org"],
        1,
    )
    with pytest.raises(AudienceError, match="mornin"):
        unsubscribe_list(desk, some, edition="mornin")
    assert suppress_address(desk, ANN, reason="by letter").to_json() == {"address": ANN, "changed": True}
    assert suppress_list(desk, some).to_json()["unchanged"] == 1
    story = person_history(desk, "stranger@example.org")
    assert (story.person, story.to_json()["id"]) == (None, None)
    assert story.suppressed
    assert story.suppressed.reason == "operator"


def test_who_bounced_is_restored_with_a_reason(desk: Settings) -> None:
    with pytest.raises(InputError, match="say why"):
        restore_bounced_person(desk, "bo@example.org", reason=" ")
    with pytest.raises(InputError, match="there is no campaign"):
        restore_people_bounced_in_campaign(desk, "c", reason="their outage")
    assert restore_bounced_person(desk, "bo@example.org", reason="they wrote").person.status == "active"


def test_a_changed_address_tells_of_both(desk: Settings) -> None:
    done = change_address(desk, ANN, "anna@example.org")
    assert (done.changed, done.before.address, done.person.address) == (True, ANN, "anna@example.org")
    assert not change_address(desk, "anna@example.org", "anna@example.org").changed
    with pytest.raises(AudienceError, match="the person's address is now anna@"):
        person_history(desk, ANN)


def test_an_erasure_that_is_declined_changes_nothing(desk: Settings) -> None:
    asked: list[str] = []

    def decline(who: str) -> None:
        asked.append(who)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        erase_person(desk, "ANN@example.org", confirm=decline)
    assert asked == ["ANN@example.org"]
    db = open_store(desk.database)
    person = find(db, ANN)
    db.close()
    assert person
    with pytest.raises(AudienceError, match="is not a subscriber"):
        erase_person(desk, "stranger@example.org", confirm=decline)
    assert erase_person(desk, ANN, confirm=asked.append, search=False).to_json() == {"erased": person.id}
