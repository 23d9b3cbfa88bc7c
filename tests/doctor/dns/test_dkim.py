"""DKIM: the key that signs and the key that is shown are one pair."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mailer.doctor.dns.dkim import check_provider_keys
from mailer.transports.finding import Finding
from mailer.transports.sendgrid.driver import DRIVER
from tests.doctor.conftest import DOMAIN, KEY_RECORD, World, lines, make_key, txt


def sendgrid(world: World) -> list[Finding]:
    """What is found of SendGrid's records for the domain of From."""
    assert DRIVER.dns is not None
    return list(check_provider_keys(world.resolver, DOMAIN, DRIVER.dns, "dkim sendgrid"))


def published(world: World, *values: str) -> tuple[str, str]:
    world.zones[KEY_RECORD] = {"TXT": [txt(value) for value in values]}
    (check,) = world.found("dkim s2026")
    return check["status"], check["message"]


def test_the_pair_fits_in_either_spelling_of_an_rsa_key(world: World) -> None:
    import base64

    key = load_pem_private_key((world.root / "s2026.pem").read_bytes(), None)
    bare = base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()
    fits = ("ok", f"{KEY_RECORD} holds the public key of the key file")
    assert published(world, f"v=DKIM1; k=rsa; p={world.public_key}") == fits
    assert published(world, f"p={world.public_key[:100]} {world.public_key[100:]};") == fits
    assert published(world, f"v=DKIM1; p={bare}; t=s; s=email; h=sha256") == fits


def test_what_is_wrong_with_a_record(world: World, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other.pem")
    good = f"p={world.public_key}"
    assert (
        published(world, f"v=DKIM1; p={other}")[1]
        == f"the key at {KEY_RECORD} does not belong to the key file"
    )
    assert published(world, f"v=DKIM1; k=ed25519; {good}")[0] == "error"
    assert published(world, "v=DKIM1; p=not-base64!")[0] == "error"
    assert published(world, "v=DKIM1; p=")[1] == f"the key at {KEY_RECORD} was revoked (p= is empty)"
    assert published(world, f"v=DKIM1; {good}", "v=DKIM1; p=")[1] == f"there are 2 keys at {KEY_RECORD}"
    assert published(world, f"v=DKIM1; h=sha1; {good}")[1] == f"{KEY_RECORD} forbids SHA-256 (h=sha1)"
    assert published(world, f"v=DKIM1; s=other; {good}")[1] == f"{KEY_RECORD} is not for e-mail (s=other)"
    assert published(world, f"v=DKIM1; t=y:s; {good}")[0] == "warning"
    assert published(world, "v=DKIM2; p=x", "something else")[1] == f"there is no key at {KEY_RECORD}"


def test_a_key_behind_a_cname_is_found(world: World) -> None:
    world.zones["key.elsewhere.alt"] = world.zones.pop(KEY_RECORD)
    world.zones[KEY_RECORD] = {"CNAME": ["key.elsewhere.alt."]}
    assert world.found("dkim s2026")[0]["status"] == "ok"


def test_ed25519(world: World) -> None:
    import base64

    key = Ed25519PrivateKey.generate()
    (world.root / "s2026.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    shown = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    assert published(world, f"v=DKIM1; k=ed25519; p={shown}")[0] == "ok"
    assert published(world, f"v=DKIM1; k=ed25519; p={world.public_key}")[0] == "error"
    assert world.found("dkim key s2026")[0]["message"] == "s2026.pem can sign (ed25519-sha256)"


def test_a_file_that_cannot_sign_is_an_error_and_the_dns_unknown(world: World) -> None:
    key = world.root / "s2026.pem"
    for spoil in (lambda: key.write_text("no key"), key.unlink, lambda: (make_key(key, 1024), None)):
        spoil()
        (found,) = world.found("dkim key s2026")
        assert (found["status"], bool(found["advice"])) == ("error", True), found
        (compared,) = world.found("dkim s2026")
        assert compared["status"] == "unknown"


def test_one_bad_key_does_not_hide_another(world: World) -> None:
    world.configure("^keys = .*", 'keys = { s2026 = "s2026.pem", old = "gone.pem" }')
    assert world.found("dkim s2026")[0]["status"] == "ok"
    assert world.found("dkim key old")[0]["status"] == "error"


def test_without_a_key_here_the_server_may_sign(world: World) -> None:
    world.configure(r"^\[dkim\]\nkeys = .*", "")
    (found,) = world.found("dkim")
    assert found["status"] == "unknown"
    assert "cannot be checked from here" in found["message"]


@pytest.mark.parametrize("domain", [DOMAIN, "harbour.alt"])
def test_sendgrid_signs_for_from_or_what_is_above_it(world: World, domain: str) -> None:
    for selector in ("s1", "s2"):
        target = f"{selector}.domainkey.u1.wl.sendgrid.net"
        world.zones[f"{selector}._domainkey.{domain}"] = {"CNAME": [f"{target}."]}
        world.zones[target] = {"TXT": [txt(f"k=rsa; p={world.public_key}")]}
    assert lines(sendgrid(world)) == [f"ok SendGrid signs for {domain} (s1 and s2)"]


def test_sendgrids_records_that_are_missing_or_lead_nowhere(world: World) -> None:
    (none,) = sendgrid(world)
    assert none.status == "error"
    assert "a selector that you chose yourself cannot be checked" in none.message
    world.zones[f"s1._domainkey.{DOMAIN}"] = {"CNAME": ["s1.u1.wl.sendgrid.net."]}
    assert lines(sendgrid(world)) == [
        f"error s1._domainkey.{DOMAIN} points to s1.u1.wl.sendgrid.net, which has no key"
    ]
    world.zones["s1.u1.wl.sendgrid.net"] = {"TXT": ['"k=rsa; p=AAAA"']}
    assert lines(sendgrid(world)) == [f"warning s2._domainkey.{DOMAIN} does not exist"]
    world.zones[f"s2._domainkey.{DOMAIN}"] = {"CNAME": ["s2.elsewhere.alt."]}
    world.zones["s2.elsewhere.alt"] = {"TXT": ['"k=rsa; p=AAAA"']}
    assert lines(sendgrid(world)) == [
        f"warning s2._domainkey.{DOMAIN} points to s2.elsewhere.alt, which does not belong to SendGrid"
    ]
