"""Writes one HTML page with a picture of every mail in every simulated client, and the faults found there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment

from tools.clients.documents import documents
from tools.clients.facts import Simulation, load_facts
from tools.clients.html_check import HtmlCheck
from tools.clients.simulate import Client, faults_of
from tools.screenshots import Shown

__all__ = ["Look", "take_looks", "write_gallery"]

#: Quality of the pictures (JPEG, 1 to 100).
QUALITY = 60

PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mails in simulated clients</title>
<style>
  body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: #1d2329; background: #f4f4f2; }
  header, section > h2, section > p { margin: 0; padding: 16px 24px; }
  header { background: #fff; }
  h1 { margin: 0 0 8px; font-size: 22px; }
  nav a { display: inline-block; margin: 0 12px 0 0; padding: 6px 0; color: inherit; }
  h2 { position: sticky; top: 0; z-index: 1; font-size: 18px; background: #f4f4f2; }
  section > p { padding-top: 0; }
  .row { display: flex; gap: 20px; overflow-x: auto; padding: 0 24px 32px; align-items: flex-start; }
  figure { flex: none; margin: 0; background: #fff; border: 1px solid #d5d5d0; }
  figcaption { padding: 10px 12px; font-size: 13px; line-height: 1.45; }
  figcaption b { display: block; font-size: 14px; }
  figcaption ul { margin: 6px 0 0; padding-left: 18px; color: #a02814; overflow-wrap: anywhere; }
  img { display: block; height: auto; }
  .shot { max-height: 75vh; overflow-y: auto; }
  dl { margin: 8px 0 0; columns: 2 420px; font-size: 13px; }
  dt { font-weight: 600; break-after: avoid; }
  dd { margin: 0 0 8px; break-inside: avoid; }
</style>
<header>
  <h1>Mails in simulated clients</h1>
  <p>Simulated in Chromium by the rules of tools/clients/facts.toml. A real client may differ: these pictures
    show what the rules do to the layout, not its own fonts and frames.</p>
  <nav>{% for name in names %}<a href="#{{ name }}">{{ name }}</a>{% endfor %}</nav>
  <details><summary>What is simulated</summary>
  <dl>{% for each in simulations %}
    <dt>{{ each.name }}</dt>
    <dd>{{ each.family | join(", ") }}.{% for rule in each.rules %}
      {{ rule.says }}{% for source in rule.sources %}
      <a href="{{ source }}">[{{ loop.index }}]</a>{% endfor %}{% endfor %}</dd>{% endfor %}
  </dl></details>
</header>
{% for name in names %}
<section id="{{ name }}">
  <h2>{{ name }}</h2>
  {% if checks[name] %}<p>Mailpit's HTML check: {{ checks[name].sentence }}</p>{% endif %}
  <div class="row">{% for look in looks if look.document == name %}
    <figure style="width:{{ look.width }}px">
      <figcaption><b>{{ look.simulation.name }}, {{ look.width }} px</b>
        {{ look.simulation.family | join(", ") }}
        {% if look.faults %}<ul>{% for fault in look.faults[:12] %}<li>{{ fault }}</li>{% endfor %}
        {% if look.faults | length > 12 %}<li>and {{ look.faults | length - 12 }} more</li>{% endif %}
        </ul>{% endif %}
      </figcaption>
      <div class="shot"><img src="{{ look.file }}" width="{{ look.width }}" alt="" loading="lazy"></div>
    </figure>{% endfor %}
  </div>
</section>
{% endfor %}
</html>
"""


@dataclass(frozen=True)
class Look:
    """Holds one picture: a document in a simulation at a width in px, and the faults measured there."""

    document: str
    simulation: Simulation
    width: int
    file: str
    faults: tuple[str, ...]


def take_looks(
    client: Client, folder: Path, names: Iterable[str], report: Callable[[Look], None]
) -> list[Look]:
    """Takes a picture of each of these documents in each simulation into `folder`, and returns all of them.

    `report` is called with each when it is there.
    """
    looks = []
    for name in names:
        document: Shown = documents()[name]
        for simulation in load_facts().simulations.values():
            for width in simulation.widths:
                page = client.show(document, simulation, width)
                faults = faults_of(client.measure(width), simulation.checks - {"direction"})
                file = f"{name}-{simulation.key}-{width}.jpg"
                page.screenshot(full_page=True, path=folder / file, type="jpeg", quality=QUALITY)
                looks.append(Look(name, simulation, width, file, tuple(faults)))
                report(looks[-1])
    return looks


def write_gallery(folder: Path, looks: list[Look], checks: dict[str, HtmlCheck]) -> Path:
    """Writes index.html into `folder` and returns its path. `checks` may lack documents."""
    names = list(dict.fromkeys(look.document for look in looks))
    shown = [each for each in load_facts().simulations.values() if each.widths]
    template = Environment(autoescape=True, trim_blocks=True).from_string(PAGE)
    page = folder / "index.html"
    page.write_text(
        template.render(
            names=names, looks=looks, simulations=shown, checks={name: checks.get(name) for name in names}
        ),
        encoding="utf-8",
    )
    return page
