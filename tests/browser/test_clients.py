"""The layout of each mail in each simulated client: facts that are measured, not pixels."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tools.clients.documents import desk_names, documents, fixture_names, sample_names
from tools.clients.facts import load_facts
from tools.clients.simulate import Client, clients, faults_of

pytestmark = pytest.mark.browser

SIMULATIONS = load_facts().simulations
#: Without `overflow-wrap` an address that is longer than its line sticks out; this fixture has such ones.
LONG_ADDRESSES = "wide"


@pytest.fixture(scope="module")
def client(browser: Browser) -> Iterator[Client]:
    with clients(browser) as opened:
        yield opened


def test_there_are_three_samples_eight_fixtures_and_nine_issues_of_desks() -> None:
    assert len(sample_names()) == 3
    assert len(desk_names()) == 9
    assert fixture_names() == ["arabic", "bare", "brief", "digest", "everything", "many", "mixed", "wide"]


@pytest.mark.parametrize("simulation", SIMULATIONS)
@pytest.mark.parametrize("name", [*sample_names(), *fixture_names(), *desk_names()])
def test_a_mail_keeps_its_layout_in_a_client(client: Client, name: str, simulation: str) -> None:
    document, simulated = documents()[name], SIMULATIONS[simulation]
    checks = simulated.checks - {"direction"}
    if (name, simulation) == (LONG_ADDRESSES, "no-scarce"):
        checks -= {"overflow"}
    plain = None
    if "direction" in simulated.checks:
        client.show(document, SIMULATIONS["plain"], simulated.checked[0])
        plain = client.measure(simulated.checked[0])["directions"]
    client.show(document, simulated, simulated.checked[0])
    for width in simulated.checked:
        measured = client.measure(width)
        assert faults_of(measured, checks) == [], f"{name} as {simulated.name} at {width} px"
        if plain is not None:
            assert measured["directions"] == plain
