"""DMARC: where a policy is found, what it says, and what aligns with From."""

from __future__ import annotations

import pytest

from mailer.doctor.dns.dmarc import check_dmarc
from mailer.doctor.dns.dmarc_record import walk_dns_tree
from tests.doctor.conftest import DOMAIN, World, lines, txt

NAME = f"dmarc {DOMAIN}"
REPORTS = "rua=mailto:dmarc@harbour.alt"


def publish(world: World, *records: str, domain: str = "harbour.alt") -> None:
    world.zones[f"_dmarc.{domain}"] = {"TXT": [txt(record) for record in records]}


def told(world: World, name: str = NAME) -> list[tuple[str, str]]:
    return [(check["status"], check["message"]) for check in world.found(name)]


def test_the_organisations_record_counts_where_from_has_none(world: World) -> None:
    assert told(world) == [
        ("ok", "_dmarc.harbour.alt asks for quarantine, with reports to mailto:dmarc@harbour.alt")
    ]


def test_none_at_all_says_what_to_publish(world: World) -> None:
    del world.zones["_dmarc.harbour.alt"]
    (found,) = world.found(NAME)
    assert found["status"] == "error"
    assert found["advice"] == f'publish _dmarc.{DOMAIN}. TXT "v=DMARC1; p=none; rua=mailto:dmarc@{DOMAIN}"'
    assert world.found("alignment") == []


@pytest.mark.parametrize(
    ("record", "status", "words"),
    [
        (f"v=DMARC1; p=none; {REPORTS}", "warning", "asks for none"),
        (f"v=DMARC1; p=reject; sp=none; {REPORTS}", "warning", "asks for none"),
        (f"v=DMARC1; p=block; {REPORTS}", "error", "p=block, which is not a policy"),
        (f"v=DMARC1; {REPORTS}", "error", "has no p="),
        (f"v=DMARC1; p=reject; t=y; {REPORTS}", "warning", "is marked as a test (t=y)"),
        (f"v=DMARC1; p=reject; pct=20; {REPORTS}", "warning", "is marked as a test (pct=20)"),
        ("v=DMARC1; p=reject", "warning", "has no rua="),
        ("v=DMARC1; p=reject; rua=dmarc@harbour.alt", "error", "is not an address for reports"),
        ("v=DMARC1; p=reject; rua=mailto:x@other.alt", "warning", "other.alt publishes no record"),
        (f"V = DMARC1 ; P = REJECT ; {REPORTS}!10m", "error", "no DMARC record"),
        (f" v = DMARC1 ; P = Reject ; {REPORTS}!10m", "ok", "asks for reject"),
    ],
)
def test_what_a_record_says(world: World, record: str, status: str, words: str) -> None:
    publish(world, record)
    (found,) = told(world)
    assert found[0] == status
    assert words in found[1]


def test_reports_to_another_organisation_that_wants_them(world: World) -> None:
    publish(world, "v=DMARC1; p=reject; rua=mailto:x@reports.alt")
    world.zones["harbour.alt._report._dmarc.reports.alt"] = {"TXT": ['"v=DMARC1;"']}
    assert told(world)[0][0] == "ok"


def test_two_records_count_as_none(world: World) -> None:
    publish(world, "v=DMARC1; p=none", "v=DMARC1; p=reject")
    assert told(world) == [
        ("error", "_dmarc.harbour.alt has more than one DMARC record, which counts as none")
    ]


def test_the_walk_skips_the_middle_of_a_long_name(world: World) -> None:
    """RFC 9989 section 4.10: the name itself, then from seven labels upwards."""
    found = walk_dns_tree("a.b.c.d.e.f.g.h.i.harbour.alt", world.resolver)
    asked = [name.removeprefix("_dmarc.") for name, _, _ in world.dns.asked]
    assert asked == [
        "a.b.c.d.e.f.g.h.i.harbour.alt",
        "e.f.g.h.i.harbour.alt",
        "f.g.h.i.harbour.alt",
        "g.h.i.harbour.alt",
        "h.i.harbour.alt",
        "i.harbour.alt",
        "harbour.alt",
        "alt",
    ]
    assert found.organisational_domain == "harbour.alt"


def test_where_an_organisation_begins(world: World) -> None:
    publish(world, "v=DMARC1; p=reject", domain=DOMAIN)
    assert walk_dns_tree(DOMAIN, world.resolver).organisational_domain == "harbour.alt"
    publish(world, "v=DMARC1; p=reject; psd=n", domain=DOMAIN)
    assert walk_dns_tree(DOMAIN, world.resolver).organisational_domain == DOMAIN
    publish(
        world, "v=DMARC1; p=reject; psd=y"
    )  # harbour.alt is a registry, and news.harbour.alt is whose it is
    del world.zones[f"_dmarc.{DOMAIN}"]
    assert walk_dns_tree(f"x.{DOMAIN}", world.resolver).organisational_domain == DOMAIN
    assert walk_dns_tree("harbour.alt", world.resolver).organisational_domain == "harbour.alt"
    assert walk_dns_tree("nothing.other", world.resolver).organisational_domain == "nothing.other"
    found = walk_dns_tree(f"x.{DOMAIN}", world.resolver).applicable_record
    assert found is not None
    assert found[0] == "harbour.alt"


def aligned(world: World) -> tuple[str, str]:
    (found,) = told(world, "alignment")
    return found


def test_both_align(world: World) -> None:
    assert aligned(world) == (
        "ok",
        f"DKIM's domain {DOMAIN} and the return path's domain {DOMAIN} align with From {DOMAIN}",
    )


def test_a_parent_aligns_unless_the_record_is_strict(world: World) -> None:
    world.configure(r"^\[dkim\]", '[dkim]\ndomain = "harbour.alt"')
    assert aligned(world)[0] == "ok"
    publish(world, f"v=DMARC1; p=reject; adkim=s; {REPORTS}")
    status, message = aligned(world)
    assert status == "warning"
    assert "but DKIM's domain harbour.alt does not; forwarded mail then fails" in message


def test_a_foreign_return_path_is_no_harm_while_dkim_aligns(world: World) -> None:
    world.configure("^connections|^transport", 'return_path = "b@bounce.alt"\ntransport')
    world.zones["bounce.alt"] = {}
    status, message = aligned(world)
    assert status == "ok"
    assert "(the return path's domain bounce.alt does not, which does no harm)" in message


def test_neither_aligns(world: World) -> None:
    world.configure("^transport", 'return_path = "b@bounce.alt"\ntransport')
    world.configure(r"^\[dkim\]", '[dkim]\ndomain = "sign.alt"')
    assert aligned(world) == (
        "error",
        f"DKIM's domain sign.alt and the return path's domain bounce.alt do not align with From {DOMAIN}",
    )
    world.configure(r"^\[dkim\]\n.*\nkeys = .*", "")
    assert aligned(world)[0] == "unknown"


def test_sendgrids_own_return_path_is_not_judged(world: World) -> None:
    world.configure("^transport = .*", 'transport = "sendgrid:"')
    assert lines(check_dmarc(world.settings, world.resolver))[-1] == (
        "unknown it cannot be checked from here which domain signs"
    )
    world.zones[f"s1._domainkey.{DOMAIN}"] = {"CNAME": ["s1.u1.wl.sendgrid.net."]}
    assert lines(check_dmarc(world.settings, world.resolver))[-1] == (
        f"ok DKIM's domain {DOMAIN} aligns with From {DOMAIN}"
    )
