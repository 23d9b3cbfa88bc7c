"""Checks DKIM (RFC 6376, RFC 8463): the private keys that sign, and the public keys in the DNS."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from mailer.config import Settings
from mailer.doctor.dns.host_names import domain_and_parents, is_same_or_subdomain
from mailer.doctor.dns.resolver import Resolver
from mailer.doctor.dns.zone_file import zone_file_line
from mailer.errors import ConfigError
from mailer.message.dkim_keys import SigningKey, load_keys
from mailer.transports.driver import ProviderDns
from mailer.transports.finding import Finding, Status

__all__ = [
    "check_private_key",
    "find_domain_signed_by_provider",
    "check_published_key",
    "report_unknown_dkim_signing",
    "check_provider_keys",
]

_SPACE = re.compile(r"\s+")


def check_private_key(settings: Settings, selector: str) -> Iterator[Finding]:
    """Checks whether the selector's key file holds a private key that can sign and that other users of this
    machine cannot read."""
    name = f"dkim key {selector}"
    try:
        key = _load_private_key(settings, selector)
    except ConfigError as error:
        sentence, _, advice = str(error).rpartition("; ")
        yield Finding(name, Status.ERROR, sentence, advice)
    else:
        yield Finding(name, Status.OK, f"{settings.dkim.keys[selector]} can sign ({key.algorithm})")


def check_published_key(settings: Settings, resolver: Resolver, selector: str) -> Iterator[Finding]:
    """Checks whether the DNS publishes the public key that belongs to the selector's private key."""
    name, record_name = f"dkim {selector}", f"{selector}._domainkey.{settings.dkim_domain}"
    try:
        key = _load_private_key(settings, selector)
    except ConfigError:
        yield Finding(name, Status.UNKNOWN, f"{record_name} cannot be compared: the key file cannot be used")
        return
    advice = f"publish {zone_file_line(record_name, 'TXT', key.dns_record)}"
    found = [tags for text in resolver.txt_records(record_name) if "p" in (tags := _parse_dkim_tags(text))]
    found = [tags for tags in found if tags.get("v", "DKIM1") == "DKIM1"]
    if not found:
        yield Finding(name, Status.ERROR, f"there is no key at {record_name}", advice)
    elif len(found) > 1:
        yield Finding(
            name,
            Status.ERROR,
            f"there are {len(found)} keys at {record_name}",
            f"keep only one record: {advice}",
        )
    else:
        yield _published_key_finding(name, record_name, key, found[0], advice)


def _load_private_key(settings: Settings, selector: str) -> SigningKey:
    """Loads the private key of one selector, even if the keys of other selectors cannot be used. Raises
    ConfigError."""
    alone = settings.dkim.model_copy(update={"keys": {selector: settings.dkim.keys[selector]}})
    return load_keys(settings.model_copy(update={"dkim": alone}))[0]


def _published_key_finding(
    finding_name: str, record_name: str, key: SigningKey, tags: dict[str, str], advice: str
) -> Finding:
    if not tags["p"]:
        return Finding(
            finding_name, Status.ERROR, f"the key at {record_name} was revoked (p= is empty)", advice
        )
    if tags.get("k", "rsa") != key.algorithm.partition("-")[0] or not _is_public_half_of_key(key, tags["p"]):
        return Finding(
            finding_name, Status.ERROR, f"the key at {record_name} does not belong to the key file", advice
        )
    if "sha256" not in tags.get("h", "sha256").split(":"):
        return Finding(finding_name, Status.ERROR, f"{record_name} forbids SHA-256 (h={tags['h']})", advice)
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        return Finding(finding_name, Status.ERROR, f"{record_name} is not for e-mail (s={tags['s']})", advice)
    if "y" in tags.get("t", "").split(":"):
        return Finding(
            finding_name,
            Status.WARNING,
            f"{record_name} says that DKIM is only being tested (t=y)",
            f"remove t=y: {advice}",
        )
    return Finding(finding_name, Status.OK, f"{record_name} holds the public key of the key file")


def check_provider_keys(
    resolver: Resolver, domain: str, dns: ProviderDns, finding_name: str
) -> Iterator[Finding]:
    """Checks whether a provider can sign for the domain of From: the provider's CNAME records, and the keys
    that the records point to.

    `domain` is the domain of From, `dns` describes the records that the provider needs, and `finding_name` is
    the name of every finding.
    """
    authenticated = find_domain_signed_by_provider(resolver, domain, dns)
    where = f"{dns.provider} ({dns.setup_page})"
    advice = f"authenticate {domain} in {where} and publish the CNAME records that it shows"
    if not authenticated:
        wanted = " and ".join(f"{selector}._domainkey" for selector in dns.selectors)
        yield Finding(
            finding_name,
            Status.ERROR,
            f"the records {wanted} of {dns.provider} do not exist for {domain} "
            "(a selector that you chose yourself cannot be checked)",
            advice,
        )
        return
    record_names = [f"{selector}._domainkey.{authenticated}" for selector in dns.selectors]
    for record_name in record_names:
        target = resolver.cname_target(record_name)
        keyed = any(_parse_dkim_tags(text).get("p") for text in resolver.txt_records(record_name))
        if not keyed:
            what = f"points to {target}, which has no key" if target else "does not exist"
            yield Finding(
                finding_name, Status.ERROR if target else Status.WARNING, f"{record_name} {what}", advice
            )
            return
        if target and not is_same_or_subdomain(target, dns.domain):
            whose = f"{record_name} points to {target}, which does not belong to {dns.provider}"
            yield Finding(finding_name, Status.WARNING, whose, advice)
            return
    selectors = " and ".join(dns.selectors)
    yield Finding(finding_name, Status.OK, f"{dns.provider} signs for {authenticated} ({selectors})")


def find_domain_signed_by_provider(resolver: Resolver, domain: str, dns: ProviderDns) -> str:
    """Returns the domain that a provider signs for: the first of `domain` and its parents that has one of the
    provider's DKIM records. Returns "" if no domain has such a record."""
    for candidate in domain_and_parents(domain):
        for selector in dns.selectors:
            record_name = f"{selector}._domainkey.{candidate}"
            if resolver.cname_target(record_name) or resolver.txt_records(record_name):
                return candidate
    return ""


def report_unknown_dkim_signing(host: str) -> Iterator[Finding]:
    """Yields one finding: it is unknown whether the mail server `host` signs with DKIM, because only a
    received message shows that."""
    yield Finding(
        "dkim",
        Status.UNKNOWN,
        f"there is no [dkim] in mailer.toml; whether {host} signs cannot be checked from here",
        "send a test copy and look for DKIM-Signature in it, or set [dkim]",
    )


def _is_public_half_of_key(key: SigningKey, encoded_key: str) -> bool:
    """Returns whether `encoded_key`, the value of p= in the DNS, is the public half of the key.

    An RSA key may be encoded in two ways (RFC 6376 section 3.6.1).
    """
    try:
        data = base64.b64decode(_SPACE.sub("", encoded_key), validate=True)
        if key.algorithm.startswith("rsa"):
            data = load_der_public_key(data).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return False
    return data == base64.b64decode(key.public_key)


def _parse_dkim_tags(text: str) -> dict[str, str]:
    """Returns the tags of a DKIM record such as `v=DKIM1; k=rsa; p=…` as a dict (RFC 6376 section 3.2)."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): _SPACE.sub(" ", value).strip() for name, equals, value in pairs if equals}
