"""What a DKIM signature costs: a message for each reader unsigned, signed by us, and signed by dkimpy.

    python -m bench.dkim [--rounds N] [--markdown]

Both sign the same messages (the sample morning edition) with the same keys, relaxed/relaxed and SHA-256, in
turn within one run. Before anything is measured, dkimpy verifies what each of them makes.
"""

from __future__ import annotations

import argparse
import base64
import functools
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.compose import ROOT, SLUG
from bench.measuring import machine, median, table
from mailer.config import Dkim, Settings, load_settings
from mailer.issue.load import load_issue
from mailer.message.dkim import Signer
from mailer.message.envelope import Envelope, Person
from mailer.message.message import Message, MessageTemplate
from mailer.render.render import render_variants
from mailer.transports.registry import signer_for_transport

RSA, ED25519 = "rsa", "ed25519"
MESSAGES, OTHERS = 400, 20  # of ours and of dkimpy's, in each round


def main() -> None:
    """Measures all ways in turn, several times, and prints one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--markdown", action="store_true", help="a table for docs/benchmarks.md")
    arguments = parser.parse_args()
    os.environ.setdefault("MAILER_SECRET_KEY", "bench")
    print(machine(), flush=True)
    keys: dict[str, RSAPrivateKey | Ed25519PrivateKey] = {
        RSA: generate_private_key(65537, 2048),
        ED25519: Ed25519PrivateKey.generate(),
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        signer = _signer(load_settings(ROOT), keys, Path(folder))
    ways, size = _ways(signer, keys)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, (way, number) in ways.items():
            begun = time.perf_counter()
            for index in range(number):
                way(index)
            times[name].append((time.perf_counter() - begun) / number * 1e6)
    medians = {name: median(values) for name, values in times.items()}
    print(f"messages of {size / 1024:.0f} KB, median of {arguments.rounds} rounds\n")
    rows = []
    for name, value in medians.items():
        beside = f"{medians[f'{name}, by dkimpy'] / value:.0f}" if f"{name}, by dkimpy" in medians else ""
        rows.append([name, f"{value:,.0f}", f"{value - medians['unsigned']:,.0f}", beside])
    print(
        table(
            ["", "µs a message", "more than unsigned", "dkimpy takes × as long"],
            rows,
            markdown=arguments.markdown,
        )
    )


def _signer(settings: Settings, keys: dict[str, RSAPrivateKey | Ed25519PrivateKey], folder: Path) -> Signer:
    for name, key in keys.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files = {name: str(folder / name) for name in keys}
    signer = signer_for_transport("smtp:", settings.model_copy(update={"dkim": Dkim(keys=files)}))
    assert signer is not None
    return signer


def _ways(
    signer: Signer, keys: dict[str, RSAPrivateKey | Ed25519PrivateKey]
) -> tuple[dict[str, tuple[Callable[[int], bytes], int]], int]:
    """Each way to the bytes of the message to reader number so-and-so, and how often; the message's size."""
    settings = load_settings(ROOT)
    loaded = load_issue(ROOT / "issues" / f"{SLUG}.yaml", settings)
    rendition = render_variants(loaded, settings, slug=SLUG, variants=[0])[0]
    envelope = Envelope(settings, campaign_id=1, slug=SLUG, edition="morning")
    people = [Person(number, f"reader{number}@example.org", "李雷", "zh") for number in range(MESSAGES)]
    rsa, ed25519 = signer.keys
    plain = MessageTemplate(rendition, envelope)
    templates = {
        "unsigned": plain,
        "RSA-2048": MessageTemplate(rendition, envelope, Signer(signer.domain, (rsa,))),
        "Ed25519": MessageTemplate(rendition, envelope, Signer(signer.domain, (ed25519,))),
        "both": MessageTemplate(rendition, envelope, signer),
    }
    pem = keys[RSA].private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    key = keys[ED25519]
    assert isinstance(key, Ed25519PrivateKey)
    seed = base64.b64encode(key.private_bytes_raw())
    names = [name.encode() for name in _signed_names(Message(templates["both"], people[0]).raw())]
    domain = signer.domain.encode()

    def ours(template: MessageTemplate, index: int) -> bytes:
        return Message(template, people[index]).raw()

    def theirs(kinds: tuple[str, ...], index: int) -> bytes:
        raw = signed = Message(plain, people[index]).raw()
        for kind in reversed(kinds):
            private, algorithm = (pem, b"rsa-sha256") if kind == RSA else (seed, b"ed25519-sha256")
            fields = dkim.sign(
                raw,
                kind.encode(),
                domain,
                private,
                canonicalize=(b"relaxed", b"relaxed"),
                signature_algorithm=algorithm,
                include_headers=names,
            )
            signed = fields + signed
        return signed

    ways: dict[str, tuple[Callable[[int], bytes], int]] = {
        name: (functools.partial(ours, template), MESSAGES) for name, template in templates.items()
    }
    for name, kinds in (("RSA-2048", (RSA,)), ("Ed25519", (ED25519,)), ("both", (RSA, ED25519))):
        ways[f"{name}, by dkimpy"] = (functools.partial(theirs, kinds), OTHERS)
    for name, (way, _) in ways.items():
        _verify(way(0), signer, name)
    return ways, len(ours(plain, 0))


def _signed_names(raw: bytes) -> list[str]:
    """The h= of the first signature, so that dkimpy signs the same."""
    head = raw.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b"").decode()
    return head.partition("h=")[2].partition(";")[0].split(":")


def _verify(raw: bytes, signer: Signer, name: str) -> None:
    """Nothing is measured that does not hold."""
    txt = {f"{key.selector}._domainkey.{signer.domain}.": key.dns_record for key in signer.keys}

    def dns(asked: bytes, timeout: float = 5) -> bytes:  # noqa: ARG001
        return txt[asked.decode()].encode()

    for index in range(raw.count(b"DKIM-Signature: ")):
        if not dkim.DKIM(raw).verify(index, dnsfunc=dns):
            sys.exit(f"a signature of {name} does not verify")


if __name__ == "__main__":
    main()
