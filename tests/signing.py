"""Keys for tests, and dkimpy as the receiver that verifies: its DNS is what the keys say of themselves."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailer.config import Dkim, Settings
from mailer.message.dkim import Signer

__all__ = [
    "ED25519",
    "RSA",
    "ed25519_key",
    "pem",
    "records",
    "rsa_key",
    "signatures",
    "verified",
    "with_keys",
    "write_key",
]

RSA, ED25519 = "s2026", "e2026"


@functools.cache
def rsa_key(bits: int = 2048, number: int = 0) -> RSAPrivateKey:
    """An RSA key, made once a run; `number` tells two of the same size apart."""
    return generate_private_key(65537, bits)


@functools.cache
def ed25519_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def pem(key: RSAPrivateKey | Ed25519PrivateKey, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


def write_key(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    path.chmod(0o600)


def with_keys(settings: Settings, *selectors: str) -> Settings:
    """The settings with a `[dkim]` whose keys lie in the workspace."""
    files = {selector: f".dkim/{selector}.pem" for selector in selectors or (RSA, ED25519)}
    for selector, name in files.items():
        write_key(settings.root / name, pem(rsa_key() if selector == RSA else ed25519_key()))
    return settings.model_copy(update={"dkim": Dkim(keys=files)})


def records(signer: Signer) -> dict[str, str]:
    """The TXT records that a receiver would find."""
    return {f"{key.selector}._domainkey.{signer.domain}.": key.dns_record for key in signer.keys}


def verified(raw: bytes, txt: Mapping[str, str] | Signer) -> list[bool]:
    """Whether each signature of the message holds, in their order."""
    known = records(txt) if isinstance(txt, Signer) else txt

    def dns(name: bytes, timeout: float = 5) -> bytes:
        return known[name.decode("ascii")].encode("ascii")

    answers = []
    for index in range(len(signatures(raw))):
        try:
            answers.append(bool(dkim.DKIM(raw).verify(index, dnsfunc=dns)))
        except dkim.DKIMException:
            answers.append(False)
    return answers


def signatures(raw: bytes) -> list[dict[str, str]]:
    """The tags of each signature, white space taken out, in their order."""
    head = raw.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b"").decode("utf-8").split("\r\n")
    return [
        dict(tag.strip().split("=", 1) for tag in line.partition(":")[2].split(";"))
        for line in head
        if line.startswith("DKIM-Signature:")
    ]
