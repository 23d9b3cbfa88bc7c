"""Answers and bounces must arrive somewhere."""

from __future__ import annotations

from tests.doctor.conftest import DOMAIN, HOST, World


def told(world: World, domain: str = DOMAIN) -> tuple[str, str]:
    (check,) = world.found(f"mx {domain}")
    return check["status"], check["message"]


def test_hosts_that_are_there(world: World) -> None:
    assert told(world) == ("ok", f"{HOST} takes mail for From")
    world.zones[DOMAIN]["MX"] = ["20 second.alt.", f"10 {HOST}."]
    world.zones["second.alt"] = {"AAAA": ["2a00::1"]}
    assert told(world) == ("ok", f"{HOST}, second.alt take mail for From")


def test_no_mx_but_an_address(world: World) -> None:
    del world.zones[DOMAIN]["MX"]
    status, message = told(world)
    assert status == "warning"
    assert message == f"{DOMAIN} has no MX record, so mail to From goes to {DOMAIN} itself (44.0.0.1)"


def test_nowhere_to_go(world: World) -> None:
    world.configure("^postal_address", 'reply_to = "editors@nowhere.alt"\npostal_address')
    assert told(world, "nowhere.alt") == (
        "error",
        "nowhere.alt has neither MX nor address, so mail to Reply-To cannot be delivered",
    )


def test_a_null_mx_takes_nothing(world: World) -> None:
    world.configure("^transport", 'return_path = "b@null.alt"\ntransport')
    world.zones["null.alt"] = {"MX": ["0 ."], "A": ["44.0.0.1"]}
    status, message = told(world, "null.alt")
    assert status == "error"
    assert "null MX" in message
    assert "the return path" in message


def test_each_use_of_a_domain_is_named(world: World) -> None:
    more = f'reply_to = "editors@{DOMAIN}"\nunsubscribe_mailto = "leave@{DOMAIN}"'
    world.configure("^postal_address", f"{more}\npostal_address")
    assert told(world) == ("ok", f"{HOST} takes mail for From, Reply-To and List-Unsubscribe")
    world.zones[DOMAIN]["MX"] = ["0 ."]
    status, message = told(world)
    assert status == "error"
    assert message.endswith("accepts no mail, but it is used for From, Reply-To and List-Unsubscribe")


def test_hosts_that_are_gone(world: World) -> None:
    world.zones[DOMAIN]["MX"] = ["10 gone.alt."]
    assert told(world) == ("error", "gone.alt has no address")
    world.zones[DOMAIN]["MX"] = ["10 gone.alt.", f"20 {HOST}."]
    assert told(world) == ("warning", "1 of the 2 MX hosts have no address: gone.alt")


def test_an_address_in_place_of_a_name(world: World) -> None:
    world.zones[DOMAIN]["MX"] = ["10 44.0.0.2."]
    assert told(world) == ("error", "44.0.0.2 has no address")


def test_an_idn_domain_is_asked_for_in_ascii(world: World) -> None:
    world.configure("^postal_address", 'reply_to = "desk@münchen.alt"\npostal_address')
    world.zones["xn--mnchen-3ya.alt"] = {"MX": [f"10 {HOST}."]}
    assert told(world, "xn--mnchen-3ya.alt")[0] == "ok"
