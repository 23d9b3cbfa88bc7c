"""The DNS's answers: what is not there, and what nobody could tell."""

from __future__ import annotations

import pytest

from mailer.doctor.dns.resolver import DnsResolver, parse_nameserver
from mailer.errors import ConfigError
from mailer.transports.finding import UnansweredQuery
from tests.servers.dns import DnsServer

ZONES = {
    "x.alt": {
        "TXT": ['"one " "string"', '"two"'],
        "MX": ["20 b.alt.", "10 A.alt."],
        "A": ["44.0.0.1"],
        "AAAA": ["2a00::1"],
    },
    "alias.alt": {"CNAME": ["next.alt."]},
    "next.alt": {"CNAME": ["x.alt."]},
    "null.alt": {"MX": ["0 ."]},
    "long.alt": {"TXT": [f'"{number:0200}"' for number in range(20)]},
    "1.0.0.44.in-addr.arpa": {"PTR": ["X.alt."]},
}


@pytest.fixture
def dns():
    with DnsServer(ZONES) as server:
        yield server


@pytest.fixture
def resolver(dns: DnsServer) -> DnsResolver:
    return DnsResolver(dns.address, server_seconds=0.2, seconds=0.3)


def test_records(resolver: DnsResolver) -> None:
    assert sorted(resolver.txt_records("x.alt")) == ["one string", "two"]
    assert resolver.mx_records("x.alt") == ((10, "a.alt"), (20, "b.alt"))
    assert resolver.mx_records("null.alt") == ((0, ""),)
    assert resolver.host_addresses("x.alt") == ("44.0.0.1", "2a00::1")
    assert resolver.ptr_names("44.0.0.1") == ("x.alt",)


def test_a_chain_of_aliases_is_followed(resolver: DnsResolver) -> None:
    assert resolver.cname_target("alias.alt") == "next.alt"
    assert resolver.cname_target("x.alt") == ""
    assert resolver.host_addresses("alias.alt") == ("44.0.0.1", "2a00::1")


def test_what_is_not_there_is_empty(resolver: DnsResolver) -> None:
    assert resolver.txt_records("gone.alt") == ()  # NXDOMAIN
    assert resolver.txt_records("null.alt") == ()  # no such type
    assert resolver.mx_records("gone.alt") == ()
    assert resolver.ptr_names("44.9.9.9") == ()
    assert resolver.txt_records("a..b") == ()
    assert resolver.txt_records(f"{'a' * 64}.alt") == ()


def test_an_answer_that_is_too_long_comes_over_tcp(resolver: DnsResolver, dns: DnsServer) -> None:
    assert len(resolver.txt_records("long.alt")) == 20
    assert [way for _, _, way in dns.asked] == ["udp", "tcp"]
    dns.fail("x.alt", "truncated")
    assert len(resolver.txt_records("x.alt")) == 2


def test_an_answer_is_kept(resolver: DnsResolver, dns: DnsServer) -> None:
    resolver.txt_records("x.alt")
    resolver.txt_records("x.alt")
    assert dns.asked == [("x.alt", "TXT", "udp")]


@pytest.mark.parametrize(
    ("fault", "words"),
    [("SERVFAIL", "SERVFAIL"), ("REFUSED", "REFUSED"), ("silence", "did not answer in time")],
)
def test_no_answer_is_not_nothing(resolver: DnsResolver, dns: DnsServer, fault: str, words: str) -> None:
    dns.fail("x.alt", fault)  # type: ignore[arg-type]
    with pytest.raises(UnansweredQuery, match=words):
        resolver.txt_records("x.alt")


def test_a_machine_without_a_nameserver(monkeypatch: pytest.MonkeyPatch) -> None:
    import dns.resolver

    def none(self: object, *_: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.Resolver, "read_resolv_conf", none)
    with pytest.raises(UnansweredQuery, match="this machine has no nameserver"):
        DnsResolver().txt_records("x.alt")


def test_how_a_nameserver_is_written() -> None:
    assert parse_nameserver("127.0.0.1:5353") == ("127.0.0.1", 5353)
    assert parse_nameserver("9.9.9.9") == ("9.9.9.9", 53)
    assert parse_nameserver("[2a00::1]:54") == ("2a00::1", 54)
    assert parse_nameserver("2a00::1") == ("2a00::1", 53)
    for wrong in ("", "dns.alt", "dns.alt:53", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", ":53"):
        with pytest.raises(ConfigError, match="is not a nameserver"):
            parse_nameserver(wrong)
