"""Checks DKIM (RFC 6376, RFC 8463): the private keys that sign, and the public keys in the DNS."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from mailer.config import Settings
from mailer.doctor.dns.host_names import is_within, parents
from mailer.doctor.dns.resolver import Resolver
from mailer.doctor.dns.zone_file import record
from mailer.errors import ConfigError
from mailer.message.dkim_keys import SigningKey, load_keys
from mailer.transports.driver import ProviderDns
from mailer.transports.finding import Finding, Status

__all__ = ["private_key", "provider_signs_for", "published_key", "signed_by_server", "signed_by_provider"]

_SPACE = re.compile(r"\s+")


def private_key(settings: Settings, selector: str) -> Iterator[Finding]:
    """Checks whether the selector's file holds a key that can sign and that others cannot read."""
    name = f"dkim key {selector}"
    try:
        key = _key(settings, selector)
    except ConfigError as error:
        sentence, _, advice = str(error).rpartition("; ")
        yield Finding(name, Status.ERROR, sentence, advice)
    else:
        yield Finding(name, Status.OK, f"{settings.dkim.keys[selector]} can sign ({key.algorithm})")


def published_key(settings: Settings, resolver: Resolver, selector: str) -> Iterator[Finding]:
    """Checks whether the DNS has the public half of the selector's key."""
    name, place = f"dkim {selector}", f"{selector}._domainkey.{settings.dkim_domain}"
    try:
        key = _key(settings, selector)
    except ConfigError:
        yield Finding(name, Status.UNKNOWN, f"{place} cannot be compared: the key's file cannot be used")
        return
    advice = f"publish {record(place, 'TXT', key.dns_record)}"
    found = [tags for text in resolver.txt(place) if "p" in (tags := _tags(text))]
    found = [tags for tags in found if tags.get("v", "DKIM1") == "DKIM1"]
    if not found:
        yield Finding(name, Status.ERROR, f"there is no key at {place}", advice)
    elif len(found) > 1:
        yield Finding(name, Status.ERROR, f"there are {len(found)} keys at {place}", f"keep one: {advice}")
    else:
        yield _compared(name, place, key, found[0], advice)


def _key(settings: Settings, selector: str) -> SigningKey:
    """Returns the key of one selector, whatever is wrong with the others. Raises ConfigError."""
    alone = settings.dkim.model_copy(update={"keys": {selector: settings.dkim.keys[selector]}})
    return load_keys(settings.model_copy(update={"dkim": alone}))[0]


def _compared(name: str, place: str, key: SigningKey, tags: dict[str, str], advice: str) -> Finding:
    if not tags["p"]:
        return Finding(name, Status.ERROR, f"the key at {place} was revoked (p= is empty)", advice)
    if tags.get("k", "rsa") != key.algorithm.partition("-")[0] or not _is_public_half(key, tags["p"]):
        return Finding(name, Status.ERROR, f"the key at {place} is not the key of the file", advice)
    if "sha256" not in tags.get("h", "sha256").split(":"):
        return Finding(name, Status.ERROR, f"{place} forbids SHA-256 (h={tags['h']})", advice)
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        return Finding(name, Status.ERROR, f"{place} is not for e-mail (s={tags['s']})", advice)
    if "y" in tags.get("t", "").split(":"):
        return Finding(
            name, Status.WARNING, f"{place} says that signing is only tested (t=y)", f"take t=y out: {advice}"
        )
    return Finding(name, Status.OK, f"{place} shows the public key of the file")


def signed_by_provider(resolver: Resolver, domain: str, dns: ProviderDns, name: str) -> Iterator[Finding]:
    """Checks whether a provider can sign for the domain of From: its CNAME records, and the keys they name.

    `name` is that of the finding.
    """
    authenticated = provider_signs_for(resolver, domain, dns)
    where = f"{dns.provider} ({dns.setup_page})"
    advice = f"authenticate {domain} in {where} and publish the CNAME records that it shows"
    if not authenticated:
        wanted = " and ".join(f"{selector}._domainkey" for selector in dns.selectors)
        yield Finding(
            name,
            Status.ERROR,
            f"{dns.provider}'s {wanted} are not there for {domain} "
            "(a selector of your own choice cannot be seen from here)",
            advice,
        )
        return
    places = [f"{selector}._domainkey.{authenticated}" for selector in dns.selectors]
    for place in places:
        target = resolver.alias(place)
        keyed = any(_tags(text).get("p") for text in resolver.txt(place))
        if not keyed:
            what = f"leads to {target}, where there is no key" if target else "is not there"
            yield Finding(name, Status.ERROR if target else Status.WARNING, f"{place} {what}", advice)
            return
        if target and not is_within(target, dns.domain):
            whose = f"{place} leads to {target}, which is not {dns.provider}'s"
            yield Finding(name, Status.WARNING, whose, advice)
            return
    selectors = " and ".join(dns.selectors)
    yield Finding(name, Status.OK, f"{dns.provider} signs for {authenticated} ({selectors})")


def provider_signs_for(resolver: Resolver, domain: str, dns: ProviderDns) -> str:
    """Returns the domain that a provider signs for: that of From, or a parent of it, or '' for none."""
    for candidate in parents(domain):
        for selector in dns.selectors:
            place = f"{selector}._domainkey.{candidate}"
            if resolver.alias(place) or resolver.txt(place):
                return candidate
    return ""


def signed_by_server(host: str) -> Iterator[Finding]:
    """Reports as unknown whether the server signs, because only a received message shows it."""
    yield Finding(
        "dkim",
        Status.UNKNOWN,
        f"there is no [dkim] in mailer.toml; whether {host} signs cannot be seen from here",
        "send a test copy and look for DKIM-Signature in it, or set [dkim]",
    )


def _is_public_half(key: SigningKey, p: str) -> bool:
    """Returns whether p= is the key's public half.

    An RSA key may be encoded in two ways (RFC 6376 section 3.6.1).
    """
    try:
        data = base64.b64decode(_SPACE.sub("", p), validate=True)
        if key.algorithm.startswith("rsa"):
            data = load_der_public_key(data).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return False
    return data == base64.b64decode(key.public)


def _tags(text: str) -> dict[str, str]:
    """Returns the tags of a record: `v=DKIM1; k=rsa; p=…` (RFC 6376 section 3.2)."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): _SPACE.sub(" ", value).strip() for name, equals, value in pairs if equals}
