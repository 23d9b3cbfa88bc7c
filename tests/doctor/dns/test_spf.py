"""SPF records, read as a receiver reads them."""

from __future__ import annotations

import pytest

from mailer.doctor.dns.spf_record import MalformedTerm, parse_spf_record, select_spf_records
from tests.doctor.conftest import DOMAIN, HOST, World, txt

NAME = f"spf {DOMAIN}"


def publish(world: World, record: str, domain: str = DOMAIN) -> None:
    world.zones.setdefault(domain, {})["TXT"] = [txt(record)]


def told(world: World, name: str = NAME) -> list[tuple[str, str]]:
    return [(check["status"], check["message"]) for check in world.found(name)]


def test_a_sound_record_and_its_cost(world: World) -> None:
    assert told(world) == [("ok", f"v=spf1 a:{HOST} ~all (1 of 10 look-ups)")]


def test_without_a_record_it_says_what_to_publish(world: World) -> None:
    del world.zones[DOMAIN]["TXT"]
    (check,) = world.found(NAME)
    assert (check["status"], check["message"]) == ("error", "there is no SPF record")
    assert check["advice"] == f'publish {DOMAIN}. TXT "v=spf1 a:{HOST} ~all"'


def test_the_record_for_a_provider_leaves_its_name_open(world: World) -> None:
    del world.zones[DOMAIN]["TXT"]
    world.configure("^transport = .*", 'transport = "smtp://relay.provider.alt:25"')
    from mailer.doctor.dns.spf import check_spf

    (finding,) = check_spf(world.settings, world.resolver, DOMAIN)
    assert '"v=spf1 include:NAME-FROM-YOUR-PROVIDER ~all"' in finding.advice


def test_two_records_count_as_none(world: World) -> None:
    world.zones[DOMAIN]["TXT"] = ['"v=spf1 mx ~all"', '"v=spf1 a ~all"']
    assert told(world) == [("error", "there are 2 SPF records, which receivers treat as none")]


def test_a_record_in_several_strings_is_one(world: World) -> None:
    world.zones[DOMAIN]["TXT"] = ['"v=spf1 ip4:44.0." "0.2 ~all"']
    assert told(world) == [("ok", "v=spf1 ip4:44.0.0.2 ~all (0 of 10 look-ups)")]


@pytest.mark.parametrize(
    ("record", "status", "words"),
    [
        ("v=spf1 mx +all", "error", '"+all" allows everybody to send mail for the domain'),
        ("v=spf1 mx all", "error", '"all" allows everybody'),
        ("v=spf1 mx ?all", "warning", '"?all" forbids no sender'),
        ("v=spf1 mx", "warning", 'the record does not end with an "all" term'),
        ("v=spf1 -all", "error", "nobody may send"),
        ("v=spf1 ptr ~all", "warning", '"ptr" is slow'),
        ("v=spf1 ~all mx", "warning", 'receivers ignore the terms after "~all"'),
        ("v=spf1 ip4=44.0.0.2 ~all", "error", "must have : instead of ="),
        ("v=spf1 mx include:gone.alt ~all", "error", "which has no SPF record"),
        ("v=spf1 mx include:open.alt ~all", "error", '"+all" in open.alt, which it includes'),
        (
            "v=spf1 mx include:broken.alt ~all",
            "error",
            '"ip4:x" contains no IP address or network in broken.alt',
        ),
        (f"v=spf1 mx include:{DOMAIN} ~all", "error", "in a loop"),
        ("v=spf1 a:x.alt a:y.alt mx:z.alt ~all", "error", "3 names in the record have no address"),
        ("v=spf1 redirect=gone.alt", "error", "which has no SPF record"),
    ],
)
def test_mistakes(world: World, record: str, status: str, words: str) -> None:
    publish(world, record)
    publish(world, "v=spf1 +all", "open.alt")
    publish(world, "v=spf1 ip4:x -all", "broken.alt")
    assert [found for found in told(world) if found[0] == status and words in found[1]], told(world)


def nest(world: World, count: int) -> None:
    """A record that costs `count` look-ups: includes within includes."""
    publish(world, "v=spf1 include:p0.alt ~all")
    for number in range(count):
        inner = f"include:p{number + 1}.alt" if number < count - 1 else "ip4:44.0.0.2"
        publish(world, f"v=spf1 {inner} -all", f"p{number}.alt")


def test_ten_look_ups_are_allowed_and_eleven_are_not(world: World) -> None:
    nest(world, 10)
    assert told(world) == [("ok", "v=spf1 include:p0.alt ~all (10 of 10 look-ups)")]
    nest(world, 11)
    assert told(world) == [("error", "the record needs 11 DNS look-ups, but receivers allow only 10")]


def test_counting_ends_where_it_would_be_a_burden(world: World) -> None:
    nest(world, 200)
    assert told(world) == [
        ("error", "the record needs at least 41 DNS look-ups, but receivers allow only 10")
    ]
    assert len({name for name, _, _ in world.dns.asked if name.startswith("p")}) < 45


def test_every_kind_of_term_is_counted(world: World) -> None:
    publish(
        world,
        f"v=spf1 a mx exists:%{{i}}.x.alt include:%{{d}}.x.alt ip4:44.0.0.0/8 ip6:2a00::/16 a:{HOST}/24//64"
        " exp=why.alt unknown=1 redirect=other.alt",
    )
    publish(world, f"v=spf1 a:{HOST} -all", "other.alt")
    (found,) = told(world)
    assert found[0] == "ok"
    assert found[1].endswith("(7 of 10 look-ups)")


def test_redirect_after_all_is_not_followed(world: World) -> None:
    publish(world, "v=spf1 mx ~all redirect=gone.alt")
    assert told(world) == [("warning", 'receivers ignore the terms after "~all"')]


def test_a_time_out_inside_an_include_is_unknown(world: World) -> None:
    publish(world, "v=spf1 mx include:slow.alt ~all")
    world.dns.fail("slow.alt", "SERVFAIL")
    assert told(world) == [
        ("unknown", "the DNS could not answer for TXT of slow.alt: SERVFAIL"),
    ]


def test_the_return_path_decides_and_from_is_a_warning(world: World) -> None:
    world.configure("^transport = .*", f'transport = "outbox:x"\nreturn_path = "bounces@b.{DOMAIN}"')
    del world.zones[DOMAIN]["TXT"]
    assert told(world)[0][0] == "warning"
    assert told(world, f"spf b.{DOMAIN}") == [("error", "there is no SPF record")]
    publish(world, "v=spf1 mx:news.harbour.alt ~all", f"b.{DOMAIN}")
    assert told(world, f"spf b.{DOMAIN}")[0][0] == "ok"


def test_sendgrid_wants_to_be_included(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailer.doctor.dns.spf import check_spf

    world.configure("^transport = .*", 'transport = "sendgrid:"')
    (missing,) = check_spf(world.settings, world.resolver, DOMAIN)
    assert missing.status == "warning"
    assert missing.advice == "add include:sendgrid.net"
    publish(world, "v=spf1 include:sendgrid.net ~all")
    publish(world, "v=spf1 ip4:44.0.0.0/16 -all", "sendgrid.net")
    (there,) = check_spf(world.settings, world.resolver, DOMAIN)
    assert there.status == "ok"
    del world.zones[DOMAIN]["TXT"]
    (none,) = check_spf(world.settings, world.resolver, DOMAIN)
    assert none.status == "warning"
    assert none.advice.endswith('"v=spf1 include:sendgrid.net ~all"')


@pytest.mark.parametrize(
    "record",
    [
        "ip4:300.0.0.1",
        "ip4:2a00::1",
        "ip6:44.0.0.1",
        "ip4/8",
        "a/33",
        "a:x.alt/24/64",
        "mx//129",
        "include",
        "include:",
        "include/x",
        "exists",
        "all:x",
        "-redirect",
        "nonsense",
        "include:%{z}.alt",
        "redirect=a.alt redirect=b.alt",
        "include:ex ample%",
    ],
)
def test_what_is_not_spf(record: str) -> None:
    with pytest.raises(MalformedTerm):
        parse_spf_record(f"v=spf1 {record} -all")


def test_only_whole_versions_count() -> None:
    assert select_spf_records(["v=spf10 -all", "V=SPF1", "v=spf1 mx", "spf1", " v=spf1"]) == [
        "V=SPF1",
        "v=spf1 mx",
    ]
