"""Checks SPF (RFC 7208): whether a domain has one valid record, and how many DNS look-ups that record costs a
receiver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailer.config import Settings
from mailer.doctor.dns.host_names import is_same_or_subdomain, return_path_domain, sender_domain
from mailer.doctor.dns.resolver import Resolver
from mailer.doctor.dns.spf_record import MalformedTerm, SpfTerm, parse_spf_record, select_spf_records
from mailer.doctor.dns.zone_file import zone_file_line
from mailer.transports.driver import ProviderDns
from mailer.transports.finding import Finding, Status
from mailer.transports.registry import driver_of

__all__ = ["check_spf"]

_MAX_LOOKUPS: Final = 10  # RFC 7208 section 4.6.4
_MAX_VOID: Final = 2
_COUNTED_LOOKUPS: Final = 40  # look-ups after which counting stops, to spare the DNS


def check_spf(settings: Settings, resolver: Resolver, domain: str) -> Iterator[Finding]:
    """Checks the SPF record of `domain`, which is the domain of From or of the return path.

    Receivers check SPF for the return path. So if `domain` is only the domain of From, or if a provider uses
    a return path of its own, a missing record is a warning and not an error.
    """
    name = f"spf {domain}"
    provider = driver_of(settings.delivery.transport).dns
    is_checked_by_receivers = domain == return_path_domain(settings) and provider is None
    found = select_spf_records(resolver.txt_records(domain))
    if not found:
        wanted = zone_file_line(domain, "TXT", _suggested_spf_record(settings, provider))
        serious = Status.ERROR if is_checked_by_receivers else Status.WARNING
        yield Finding(name, serious, "there is no SPF record", f"publish {wanted}")
        return
    if len(found) > 1:
        yield Finding(
            name,
            Status.ERROR,
            f"there are {len(found)} SPF records, which receivers treat as none",
            f"join them into one record: {'  '.join(found)}",
        )
        return
    evaluation = _SpfEvaluation(resolver)
    evaluation.evaluate(domain, found[0])
    wrong = [Finding(name, status, message, advice) for status, message, advice in evaluation.problems]
    wrong += _exceeded_limit_findings(name, evaluation)
    if provider is not None and not any(
        is_same_or_subdomain(target, provider.domain) for target in evaluation.included
    ):
        message = (
            f"the record does not include {provider.domain}, which matters unless {provider.provider}'s own "
            f"return path ({provider.own_return_path}) is in use"
        )
        wrong.append(Finding(name, Status.WARNING, message, f"add include:{provider.domain}"))
    yield from wrong
    if not wrong:
        yield Finding(name, Status.OK, f"{found[0]} ({evaluation.lookups} of {_MAX_LOOKUPS} look-ups)")


def _exceeded_limit_findings(finding_name: str, evaluation: _SpfEvaluation) -> list[Finding]:
    """Returns a finding for each receiver limit that the SPF record exceeds (RFC 7208 section 4.6.4)."""
    exceeded = []
    if evaluation.lookups > _MAX_LOOKUPS:
        more = "at least " if evaluation.lookups > _COUNTED_LOOKUPS else ""
        exceeded.append(
            Finding(
                finding_name,
                Status.ERROR,
                f"the record needs {more}{evaluation.lookups} DNS look-ups, "
                f"but receivers allow only {_MAX_LOOKUPS}",
                "remove include: terms that are not needed, or write addresses as ip4: and ip6:",
            )
        )
    if evaluation.void_lookups > _MAX_VOID:
        exceeded.append(
            Finding(
                finding_name,
                Status.ERROR,
                f"{evaluation.void_lookups} names in the record have no address, "
                f"but receivers allow only {_MAX_VOID}",
                "remove the terms whose hosts do not exist",
            )
        )
    return exceeded


def _suggested_spf_record(settings: Settings, provider: ProviderDns | None) -> str:
    """Returns the SPF record that the operator should publish. A part that the settings and the provider do
    not determine is a placeholder."""
    if provider is not None:
        return f"v=spf1 include:{provider.domain} ~all"
    url = settings.delivery.transport
    driver = driver_of(url)
    host = driver.host(url).lower() if driver.host is not None else ""
    own = sender_domain(settings)
    if host and (is_same_or_subdomain(host, own) or is_same_or_subdomain(own, host.partition(".")[2] or "-")):
        return f"v=spf1 a:{host} ~all"
    return "v=spf1 include:NAME-FROM-YOUR-PROVIDER ~all"


class _SpfEvaluation:
    """Evaluates an SPF record to its end, as a receiver does if no term matches.

    `lookups` counts the DNS look-ups, and `void_lookups` the look-ups that found no record. `included` lists
    the included domains, and `problems` lists (status, message, advice).
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._open_domains: list[str] = []
        self.lookups = 0
        self.void_lookups = 0
        self.included: list[str] = []
        self.problems: list[tuple[Status, str, str]] = []

    def evaluate(self, domain: str, record_text: str) -> None:
        """Evaluates the SPF record `record_text` of `domain`, and the records that this record includes.
        Raises UnansweredQuery if the DNS does not answer."""
        location = "" if not self._open_domains else f" in {domain}, which it includes"
        try:
            terms = parse_spf_record(record_text)
        except MalformedTerm as error:
            self._add_problem(
                Status.ERROR, f"{error}{location}", "correct the term: receivers ignore the record"
            )
            return
        self._open_domains.append(domain)
        all_positions = [position for position, term in enumerate(terms) if term.name == "all"]
        reached = terms[: all_positions[0] + 1] if all_positions else terms
        for term in reached:
            self._evaluate_term(domain, term, location)
        redirect = next((term for term in terms if term.name == "redirect"), None)
        if redirect is not None and not all_positions:
            self._count_one_lookup()
            self._evaluate_target_record(domain, redirect)
        if len(self._open_domains) == 1:
            self._check_term_named_all(terms, all_positions, redirect)
        self._open_domains.pop()

    def _evaluate_term(self, domain: str, term: SpfTerm, location: str) -> None:
        if term.name == "all" and term.qualifier == "+":
            self._add_problem(
                Status.ERROR,
                f'"{term.text}"{location} allows everybody to send mail for the domain',
                "write ~all or -all instead"
                if not location
                else "ask its owner to correct it, or remove the include",
            )
        elif term.name == "include":
            self._count_one_lookup()
            self._evaluate_target_record(domain, term)
        elif term.name in ("a", "exists"):
            self._count_one_lookup()
            if (
                not term.has_macro
                and not self._has_too_many_lookups
                and not self._resolver.host_addresses(term.domain or domain)
            ):
                self.void_lookups += 1
        elif term.name == "mx":
            self._count_one_lookup()
            if (
                not term.has_macro
                and not self._has_too_many_lookups
                and not self._resolver.mx_records(term.domain or domain)
            ):
                self.void_lookups += 1
        elif term.name == "ptr":
            self._count_one_lookup()
            self._add_problem(
                Status.WARNING,
                f'"{term.text}"{location} is slow, and many receivers ignore it',
                "write the addresses as ip4: and ip6: instead (RFC 7208 section 5.5)",
            )

    def _evaluate_target_record(self, domain: str, term: SpfTerm) -> None:
        """Evaluates the record of another domain, which the term of `domain` includes or redirects to."""
        target = term.domain
        self.included.append(target)
        if term.has_macro or self._has_too_many_lookups:
            return
        if target in self._open_domains:
            self._add_problem(
                Status.ERROR, f'"{term.text}" includes {target} in a loop', f"remove {term.text}"
            )
            return
        found = select_spf_records(self._resolver.txt_records(target))
        if len(found) == 1:
            self.evaluate(target, found[0])
            return
        what = "no SPF record" if not found else f"{len(found)} SPF records"
        self._add_problem(
            Status.ERROR,
            f'"{term.text}" refers to {target}, which has {what}; receivers then ignore the whole record',
            f"correct or remove {term.text} in the record of {domain}",
        )

    def _check_term_named_all(
        self, terms: tuple[SpfTerm, ...], positions_of_all: list[int], redirect: SpfTerm | None
    ) -> None:
        if not positions_of_all and redirect is None:
            self._add_problem(
                Status.WARNING,
                'the record does not end with an "all" term, so it forbids no sender',
                "add ~all at the end",
            )
        elif positions_of_all and terms[positions_of_all[0]].qualifier == "?":
            self._add_problem(Status.WARNING, '"?all" forbids no sender', "write ~all instead")
        elif positions_of_all and terms[positions_of_all[0]].qualifier == "-" and positions_of_all[0] == 0:
            self._add_problem(
                Status.ERROR, '"-all" alone says that nobody may send', "name the sending servers before -all"
            )
        if (
            positions_of_all
            and len(terms) > positions_of_all[0] + 1
            and any(term.name != "exp" for term in terms[positions_of_all[0] + 1 :])
        ):
            self._add_problem(
                Status.WARNING,
                f'receivers ignore the terms after "{terms[positions_of_all[0]].text}"',
                f"move {terms[positions_of_all[0]].text} to the end",
            )

    def _count_one_lookup(self) -> None:
        self.lookups += 1

    @property
    def _has_too_many_lookups(self) -> bool:
        return self.lookups > _COUNTED_LOOKUPS

    def _add_problem(self, status: Status, message: str, advice: str) -> None:
        if (status, message, advice) not in self.problems:
            self.problems.append((status, message, advice))
