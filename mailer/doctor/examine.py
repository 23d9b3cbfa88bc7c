"""Chooses the checks that a workspace needs, and runs them in parallel within a time limit.

A check is a generator of findings. Each check runs in its own thread. A check that has not ended at the time
limit is reported as unknown.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

from mailer.config import Settings
from mailer.display_text import joined_names
from mailer.doctor import storage, website, workspace
from mailer.doctor.dns import dkim
from mailer.doctor.dns.dmarc import check_dmarc
from mailer.doctor.dns.host_names import ascii_domain, return_path_domain, sender_domain
from mailer.doctor.dns.mx import check_mx_records
from mailer.doctor.dns.ptr import check_reverse_dns
from mailer.doctor.dns.resolver import DnsResolver, Resolver, parse_nameserver
from mailer.doctor.dns.spf import check_spf
from mailer.errors import MailerError
from mailer.transports.finding import Finding, Status, UnansweredQuery
from mailer.transports.registry import driver_of

__all__ = ["Check", "Examination", "applicable_checks", "examine_workspace", "run_checks"]

_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """Holds one check. `run` yields its findings. `name` is the name of the finding if the check fails or
    does not end in time."""

    name: str
    run: Callable[[], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Examination:
    """Holds the findings of all checks of a workspace, in the order of the checks."""

    findings: Sequence[Finding]

    @property
    def is_ready(self) -> bool:
        """Returns whether no finding is an error."""
        return all(finding.status is not Status.ERROR for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Returns the findings as JSON data."""
        return {"ok": self.is_ready, "checks": [asdict(finding) for finding in self.findings]}


def examine_workspace(
    settings: Settings, *, offline: bool = False, nameserver: str | None = None, seconds: float = _SECONDS
) -> Examination:
    """Runs every check that applies to a workspace, for at most `seconds`.

    With `offline`, no check needs the network. `nameserver` is HOST:PORT; None means the machine's own.
    Raises InputError if `nameserver` is not of that form.
    """
    server = parse_nameserver(nameserver) if nameserver else None
    return Examination(
        run_checks(applicable_checks(settings, None if offline else DnsResolver(server)), seconds=seconds)
    )


def applicable_checks(settings: Settings, resolver: Resolver | None) -> tuple[Check, ...]:
    """Returns the checks that apply to this workspace, in order. Without a resolver, returns only checks that
    need no network."""
    local = (
        Check("secret key", partial(workspace.check_secret_key, settings)),
        Check(".env", partial(workspace.check_env_file, settings)),
        Check("base_url", partial(workspace.check_base_url, settings)),
        Check("sender", partial(workspace.check_sender, settings)),
        Check("postal address", partial(workspace.check_postal_address, settings)),
        Check("transport", partial(workspace.check_transport, settings)),
        Check("database", partial(storage.check_database, settings)),
        Check("disk", partial(storage.check_disk, settings)),
        *[
            Check(f"dkim key {selector}", partial(dkim.check_private_key, settings, selector))
            for selector in settings.dkim.keys
        ],
    )
    if resolver is None:
        return local
    from_domain = sender_domain(settings)
    sending = dict.fromkeys((from_domain, return_path_domain(settings)))
    return (
        *local,
        *[Check(f"spf {domain}", partial(check_spf, settings, resolver, domain)) for domain in sending],
        *_dkim_checks(settings, resolver, from_domain),
        Check(f"dmarc {from_domain}", partial(check_dmarc, settings, resolver)),
        *[
            Check(f"mx {domain}", partial(check_mx_records, resolver, domain, used_for))
            for domain, used_for in _receiving_domains(settings).items()
        ],
        *_transport_checks(settings, resolver),
        Check("host", partial(website.check_website_host, settings, resolver)),
        Check("web", partial(website.check_website, settings, resolver)),
    )


def _dkim_checks(settings: Settings, resolver: Resolver, from_domain: str) -> list[Check]:
    url = settings.delivery.transport
    driver = driver_of(url)
    if driver.dns is not None and driver.dns.selectors:
        name = f"dkim {driver.source}"
        return [Check(name, partial(dkim.check_provider_keys, resolver, from_domain, driver.dns, name))]
    if not driver.signed_by_us:
        return []
    if settings.dkim.keys:
        return [
            Check(f"dkim {selector}", partial(dkim.check_published_key, settings, resolver, selector))
            for selector in settings.dkim.keys
        ]
    if driver.host is not None:
        return [Check("dkim", partial(dkim.report_unknown_dkim_signing, driver.host(url)))]
    return []


def _receiving_domains(settings: Settings) -> dict[str, str]:
    """Returns the domains that receive replies and bounces. Each domain is mapped to a text that lists our
    mailboxes in this domain, such as "From and Reply-To"."""
    used: dict[str, list[str]] = {}
    for what, mailbox in (
        ("From", settings.publication.sender),
        ("Reply-To", settings.publication.reply_to),
        ("List-Unsubscribe", settings.publication.unsubscribe_mailto),
        ("the return path", settings.delivery.return_path),
    ):
        if mailbox is not None:
            used.setdefault(ascii_domain(mailbox.address.rpartition("@")[2]), []).append(what)
    return {domain: joined_names(places) for domain, places in used.items()}


def _transport_checks(settings: Settings, resolver: Resolver) -> list[Check]:
    """Returns the transport's own check, if it has one, and the check of the reverse DNS of its mail
    server."""
    url = settings.delivery.transport
    driver = driver_of(url)
    found = []
    if driver.trial is not None:
        found.append(Check(driver.trial.name, partial(driver.trial.run, settings)))
    if driver.host is not None:
        found.append(Check("ptr", partial(check_reverse_dns, settings, resolver, driver.host(url))))
    return found


def run_checks(checks: Sequence[Check], *, seconds: float = _SECONDS) -> list[Finding]:
    """Runs the checks in parallel and returns their findings in the order of the checks, after at most
    `seconds`."""
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    found: list[list[Finding]] = [[] for _ in checks]

    def run_check_at(index: int) -> None:
        _run_check(checks[index], found[index])
        ended.put(index)

    until = time.monotonic() + seconds
    for index, check in enumerate(checks):
        # The process does not wait for a daemon thread at its end, so neither does Ctrl-C.
        thread = threading.Thread(target=run_check_at, args=(index,), name=f"check {check.name}", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError):  # the system gives no more threads
            run_check_at(index)
    running = set(range(len(checks)))
    while running:
        try:
            running.discard(ended.get(timeout=max(until - time.monotonic(), 0.0)))
        except queue.Empty:
            break
    answer: list[Finding] = []
    for index, findings in enumerate(found):
        answer += findings.copy()
        if index in running:
            late = f"this check did not end within {seconds:g} s"
            answer.append(Finding(checks[index].name, Status.UNKNOWN, late, "run this again"))
    return answer


def _run_check(check: Check, findings: list[Finding]) -> None:
    """Runs a check and appends its findings to `findings`. An error in the check becomes a finding, too."""
    try:
        for finding in check.run():
            findings.append(finding)
    except UnansweredQuery as error:
        findings.append(Finding(check.name, Status.UNKNOWN, str(error), "run this again later"))
    except MailerError as error:
        findings.append(Finding(check.name, Status.ERROR, " ".join(str(error).split())))
    except Exception as error:  # a failing check must not end the others
        what = f"{type(error).__name__}: {error}"
        findings.append(Finding(check.name, Status.UNKNOWN, f"this check failed ({what})"))
