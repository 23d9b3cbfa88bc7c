"""Checks DMARC (RFC 9989): the policy for the domain of From, the recipients of its reports, and the
alignment of the DKIM and return-path domains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mailer.config import Settings
from mailer.doctor.dns.dkim import find_domain_signed_by_provider
from mailer.doctor.dns.dmarc_record import DnsTreeWalk, organisational_domain, walk_dns_tree
from mailer.doctor.dns.host_names import return_path_domain, sender_domain
from mailer.doctor.dns.resolver import Resolver
from mailer.doctor.dns.zone_file import zone_file_line
from mailer.transports.finding import Finding, Status
from mailer.transports.registry import driver_of

__all__ = ["check_dmarc"]

_POLICIES: Final = ("none", "quarantine", "reject")


def check_dmarc(settings: Settings, resolver: Resolver) -> Iterator[Finding]:
    """Checks the DMARC record that applies to the domain of From, and whether the DKIM domain and the return
    path align with From."""
    domain = sender_domain(settings)
    name = f"dmarc {domain}"
    tree = walk_dns_tree(domain, resolver)
    for ambiguous in tree.ambiguous:
        yield Finding(
            name,
            Status.ERROR,
            f"_dmarc.{ambiguous} has more than one DMARC record, which counts as none",
            "keep one of them",
        )
    if tree.applicable_record is None:
        if not tree.ambiguous:
            wanted = zone_file_line(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
            yield Finding(
                name,
                Status.ERROR,
                f"there is no DMARC record at _dmarc.{domain} or above; large receivers require one",
                f"publish {wanted}",
            )
        return
    yield from _check_policy(name, tree, tree.applicable_record, resolver)
    yield from _check_alignment(settings, tree, tree.applicable_record[1], resolver)


def _check_policy(
    finding_name: str, tree: DnsTreeWalk, domain_and_tags: tuple[str, dict[str, str]], resolver: Resolver
) -> Iterator[Finding]:
    domain, tags = domain_and_tags
    where = f"_dmarc.{domain}"
    wrong = [f"{tag}={tags[tag]}" for tag in ("p", "sp", "np") if tag in tags and tags[tag] not in _POLICIES]
    if wrong:
        yield Finding(
            finding_name,
            Status.ERROR,
            f"{where} says {' and '.join(wrong)}, which is not a policy",
            "write none, quarantine or reject",
        )
        return
    if "p" not in tags:
        yield Finding(
            finding_name,
            Status.ERROR,
            f"{where} has no p=",
            "add p=none; many receivers ignore a record without it",
        )
        return
    policy = tags["p"] if domain == tree.start else tags.get("sp", tags["p"])
    clean = True
    if policy == "none":
        clean = False
        yield Finding(
            finding_name,
            Status.WARNING,
            f"{where} asks for none: receivers still accept mail that forges your address",
            "read the reports, then set p=quarantine",
        )
    if tags.get("t") == "y" or tags.get("pct", "100") != "100":
        clean = False
        partly = "t=y" if tags.get("t") == "y" else f"pct={tags['pct']}"
        yield Finding(
            finding_name, Status.WARNING, f"{where} is marked as a test ({partly})", f"remove {partly}"
        )
    reports = list(_check_report_addresses(finding_name, domain, tags, tree, resolver))
    yield from reports
    if clean and not reports:
        yield Finding(finding_name, Status.OK, f"{where} asks for {policy}, with reports to {tags['rua']}")


def _check_report_addresses(
    finding_name: str, domain: str, tags: dict[str, str], tree: DnsTreeWalk, resolver: Resolver
) -> Iterator[Finding]:
    """Checks whether the rua= tag of the DMARC record of `domain` names addresses that receive reports.

    `tags` are the tags of that record, and `tree` is the tree walk from the domain of From. If an address
    belongs to another organisation, that organisation must publish a record that accepts reports about
    `domain` (RFC 9990).
    """
    addresses = [part.strip() for part in tags.get("rua", "").split(",") if part.strip()]
    if not addresses:
        yield Finding(
            finding_name,
            Status.WARNING,
            f"_dmarc.{domain} has no rua=, so no reports of forged or failing mail are sent",
            f"add rua=mailto:dmarc@{domain}",
        )
    for address in addresses:
        mailbox = address.partition("!")[0]
        scheme, _, rest = mailbox.partition(":")
        target = rest.rpartition("@")[2].lower()
        if scheme.lower() != "mailto" or "@" not in rest or not target:
            yield Finding(
                finding_name,
                Status.ERROR,
                f"rua={address} is not an address for reports",
                "write it as rua=mailto:name@domain",
            )
        elif organisational_domain(target, resolver) != tree.organisational_domain:
            acceptance_record = f"{domain}._report._dmarc.{target}"
            if not any(
                text.strip().startswith("v=DMARC1") for text in resolver.txt_records(acceptance_record)
            ):
                yield Finding(
                    finding_name,
                    Status.WARNING,
                    f"{target} publishes no record that accepts reports about {domain}, so none are sent "
                    "there",
                    f"ask {target} to publish {zone_file_line(acceptance_record, 'TXT', 'v=DMARC1;')}",
                )


@dataclass(frozen=True, slots=True)
class _AuthenticatedDomain:
    """Holds a domain that a message authenticates by DKIM or SPF. `description` is the text for the domain in
    findings, such as "DKIM's domain". `is_aligned` is true if the domain aligns with the domain of From, and
    None if that cannot be known."""

    description: str
    domain: str
    is_aligned: bool | None


def _check_alignment(
    settings: Settings, tree: DnsTreeWalk, tags: dict[str, str], resolver: Resolver
) -> Iterator[Finding]:
    """Checks whether the DKIM domain or the return-path domain aligns with From. If neither does, DMARC fails
    even for signed mail."""
    provider = driver_of(settings.delivery.transport).dns
    if provider is not None:
        signer = find_domain_signed_by_provider(resolver, tree.start, provider)
    else:
        signer = settings.dkim_domain if settings.dkim_keys else ""
    returned = "" if provider is not None else return_path_domain(settings)

    def compare_domain_with_from(
        domain_description: str, domain: str, is_strict: bool
    ) -> _AuthenticatedDomain:
        if not domain or domain == tree.start:
            return _AuthenticatedDomain(domain_description, domain, True if domain else None)
        same = not is_strict and organisational_domain(domain, resolver) == tree.organisational_domain
        return _AuthenticatedDomain(domain_description, domain, same)

    dkim = compare_domain_with_from("DKIM's domain", signer, tags.get("adkim") == "s")
    spf = compare_domain_with_from("the return path's domain", returned, tags.get("aspf") == "s")
    known = [each for each in (dkim, spf) if each.is_aligned]
    others = [each for each in (dkim, spf) if each.is_aligned is False]
    names = " and ".join(f"{each.description} {each.domain}" for each in known)
    foreign = " and ".join(f"{each.description} {each.domain}" for each in others)
    advice = f"sign with a domain of {tree.organisational_domain}, and use one in delivery.return_path, too"
    if dkim.is_aligned is False and spf.is_aligned:
        yield Finding(
            "alignment",
            Status.WARNING,
            f"{names} aligns with From {tree.start}, but {foreign} does not; forwarded mail then fails DMARC",
            advice,
        )
    elif known:
        apart = f" ({foreign} does not, which does no harm)" if foreign else ""
        yield Finding(
            "alignment",
            Status.OK,
            f"{names} {'align' if len(known) > 1 else 'aligns'} with From {tree.start}{apart}",
        )
    elif dkim.is_aligned is None:
        beside = f"{foreign} does not align with From {tree.start}, and " if foreign else ""
        yield Finding(
            "alignment",
            Status.UNKNOWN,
            f"{beside}it cannot be checked from here which domain signs",
            "send a test copy and look for dmarc=pass in its Authentication-Results",
        )
    else:
        verb = "do" if len(others) > 1 else "does"
        yield Finding("alignment", Status.ERROR, f"{foreign} {verb} not align with From {tree.start}", advice)
