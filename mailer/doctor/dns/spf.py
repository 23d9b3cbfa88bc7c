"""Checks SPF (RFC 7208): has a domain one valid record, and how many look-ups does it cost a receiver?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailer.config import Settings
from mailer.doctor.dns.host_names import is_within, return_path_domain, sender_domain
from mailer.doctor.dns.resolver import Resolver
from mailer.doctor.dns.spf_record import MalformedTerm, Term, parse, spf_records
from mailer.doctor.dns.zone_file import record
from mailer.transports.driver import ProviderDns
from mailer.transports.finding import Finding, Status
from mailer.transports.registry import driver_of

__all__ = ["spf"]

_MOST_LOOKUPS: Final = 10  # RFC 7208 section 4.6.4
_MOST_VOID: Final = 2
_PATIENCE: Final = 40  # look-ups after which counting stops, to spare the DNS


def spf(settings: Settings, resolver: Resolver, domain: str) -> Iterator[Finding]:
    """Checks the SPF record of `domain`, which is that of From or of the return path.

    Receivers check the return path's. A missing record of From is only a warning where the two domains
    differ, and where a provider has its own return path.
    """
    name = f"spf {domain}"
    provider = driver_of(settings.delivery.transport).dns
    decides = domain == return_path_domain(settings) and provider is None
    found = spf_records(resolver.txt(domain))
    if not found:
        wanted = record(domain, "TXT", _suggestion(settings, provider))
        serious = Status.ERROR if decides else Status.WARNING
        yield Finding(name, serious, "there is no SPF record", f"publish {wanted}")
        return
    if len(found) > 1:
        yield Finding(
            name,
            Status.ERROR,
            f"there are {len(found)} SPF records, which counts as none",
            f"join them in one: {'  '.join(found)}",
        )
        return
    survey = _Survey(resolver)
    survey.read(domain, found[0])
    wrong = [Finding(name, status, message, advice) for status, message, advice in survey.troubles]
    wrong += _over_the_limits(name, survey)
    if provider is not None and not any(is_within(target, provider.domain) for target in survey.included):
        message = (
            f"it does not include {provider.domain}, which matters unless {provider.provider}'s own "
            f"return path ({provider.own_return_path}) is in use"
        )
        wrong.append(Finding(name, Status.WARNING, message, f"add include:{provider.domain}"))
    yield from wrong
    if not wrong:
        yield Finding(name, Status.OK, f"{found[0]} ({survey.lookups} of {_MOST_LOOKUPS} look-ups)")


def _over_the_limits(name: str, survey: _Survey) -> list[Finding]:
    """Returns a finding for each of a receiver's limits (RFC 7208 section 4.6.4) that is exceeded."""
    exceeded = []
    if survey.lookups > _MOST_LOOKUPS:
        more = "at least " if survey.lookups > _PATIENCE else ""
        exceeded.append(
            Finding(
                name,
                Status.ERROR,
                f"it takes {more}{survey.lookups} DNS look-ups, and receivers stop at {_MOST_LOOKUPS}",
                "take out include: terms that are not needed, or write addresses as ip4: and ip6:",
            )
        )
    if survey.void > _MOST_VOID:
        exceeded.append(
            Finding(
                name,
                Status.ERROR,
                f"{survey.void} of its names have no address, and receivers stop at {_MOST_VOID}",
                "take out the terms whose hosts are gone",
            )
        )
    return exceeded


def _suggestion(settings: Settings, provider: ProviderDns | None) -> str:
    """Returns the record to publish, as far as it can be known."""
    if provider is not None:
        return f"v=spf1 include:{provider.domain} ~all"
    url = settings.delivery.transport
    driver = driver_of(url)
    host = driver.host(url).lower() if driver.host is not None else ""
    own = sender_domain(settings)
    if host and (is_within(host, own) or is_within(own, host.partition(".")[2] or "-")):
        return f"v=spf1 a:{host} ~all"
    return "v=spf1 include:NAME-FROM-YOUR-PROVIDER ~all"


class _Survey:
    """Evaluates a record as a receiver does that finds no match before its end."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._open: list[str] = []
        self.lookups = 0
        self.void = 0
        self.included: list[str] = []
        self.troubles: list[tuple[Status, str, str]] = []

    def read(self, domain: str, text: str) -> None:
        """Evaluates one record and the records that it includes. Raises UnansweredQuery."""
        where = "" if not self._open else f" in {domain}, which it includes"
        try:
            terms = parse(text)
        except MalformedTerm as error:
            self._trouble(Status.ERROR, f"{error}{where}", "correct the term: receivers ignore the record")
            return
        self._open.append(domain)
        ends = [place for place, term in enumerate(terms) if term.name == "all"]
        reached = terms[: ends[0] + 1] if ends else terms
        for term in reached:
            self._follow(domain, term, where)
        redirect = next((term for term in terms if term.name == "redirect"), None)
        if redirect is not None and not ends:
            self._count()
            self._enter(domain, redirect)
        if len(self._open) == 1:
            self._check_end(terms, ends, redirect)
        self._open.pop()

    def _follow(self, domain: str, term: Term, where: str) -> None:
        if term.name == "all" and term.qualifier == "+":
            self._trouble(
                Status.ERROR,
                f'"{term.text}"{where} lets everybody send in its name',
                "write ~all or -all instead" if not where else "ask whose it is, or take the include out",
            )
        elif term.name == "include":
            self._count()
            self._enter(domain, term)
        elif term.name in ("a", "exists"):
            self._count()
            if (
                not term.has_macro
                and not self._too_many
                and not self._resolver.addresses(term.domain or domain)
            ):
                self.void += 1
        elif term.name == "mx":
            self._count()
            if not term.has_macro and not self._too_many and not self._resolver.mx(term.domain or domain):
                self.void += 1
        elif term.name == "ptr":
            self._count()
            self._trouble(
                Status.WARNING,
                f'"{term.text}"{where} is slow, and many receivers leave it out',
                "write the addresses as ip4: and ip6: instead (RFC 7208 section 5.5)",
            )

    def _enter(self, domain: str, term: Term) -> None:
        """Evaluates an included or redirected record."""
        target = term.domain
        self.included.append(target)
        if term.has_macro or self._too_many:
            return
        if target in self._open:
            self._trouble(
                Status.ERROR, f'"{term.text}" leads back to {target} in a circle', f"take out {term.text}"
            )
            return
        found = spf_records(self._resolver.txt(target))
        if len(found) == 1:
            self.read(target, found[0])
            return
        what = "no SPF record" if not found else f"{len(found)} SPF records"
        self._trouble(
            Status.ERROR,
            f'"{term.text}" leads to {target}, which has {what}; receivers then ignore all of it',
            f"correct or take out {term.text} in the record of {domain}",
        )

    def _check_end(self, terms: tuple[Term, ...], ends: list[int], redirect: Term | None) -> None:
        if not ends and redirect is None:
            self._trouble(
                Status.WARNING,
                'it does not end with an "all" term, so it forbids no sender',
                "add ~all at its end",
            )
        elif ends and terms[ends[0]].qualifier == "?":
            self._trouble(Status.WARNING, '"?all" forbids nobody', "write ~all instead")
        elif ends and terms[ends[0]].qualifier == "-" and ends[0] == 0:
            self._trouble(
                Status.ERROR, '"-all" alone says that nobody may send', "name who sends before -all"
            )
        if ends and len(terms) > ends[0] + 1 and any(term.name != "exp" for term in terms[ends[0] + 1 :]):
            self._trouble(
                Status.WARNING,
                f'what stands after "{terms[ends[0]].text}" is never read',
                f"move {terms[ends[0]].text} to the end",
            )

    def _count(self) -> None:
        self.lookups += 1

    @property
    def _too_many(self) -> bool:
        return self.lookups > _PATIENCE

    def _trouble(self, status: Status, message: str, advice: str) -> None:
        if (status, message, advice) not in self.troubles:
            self.troubles.append((status, message, advice))
