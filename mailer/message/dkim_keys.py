"""Reads and checks the private keys of DKIM, and computes their DNS records.

A key is RSA of 2048 to 4096 bits (RFC 8301) or Ed25519 (RFC 8463). A key that cannot be used, or that other
users of this machine can read, is refused before anything is sent.
"""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mailer.config import Settings
from mailer.errors import ConfigError, Problem

__all__ = ["SigningKey", "load_keys"]

#: The bits of RSA keys that we sign with and every verifier must support (RFC 8301 section 3.2).
_BITS = range(2048, 4096 + 1)
_LARGEST = 65_536  # octets of a key's file


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Holds one private key of DKIM.

    `algorithm` is the `a=` of the key's signatures, `public_key` the `p=` of its DNS record. `sign` takes a
    SHA-256 digest (32 octets) and returns the signature, which `b=` holds in base64.
    """

    selector: str
    algorithm: str
    public_key: str
    sign: Callable[[bytes], bytes] = field(repr=False)

    @property
    def dns_record(self) -> str:
        """Returns the TXT record to publish at `SELECTOR._domainkey.DOMAIN` (RFC 6376 section 3.6.1)."""
        return f"v=DKIM1; k={self.algorithm.partition('-')[0]}; p={self.public_key}"


def load_keys(settings: Settings) -> tuple[SigningKey, ...]:
    """Reads the files of all keys that the section [dkim] names, and returns the keys in the same order.

    Raises ConfigError with one problem for each key that cannot be used.
    """
    keys: list[SigningKey] = []
    problems: list[Problem] = []
    for (selector, path), name in zip(settings.dkim_keys, settings.dkim.keys.values(), strict=True):
        try:
            keys.append(_signing_key(selector, _read_key_file(path, name)))
        except _UnusableKeyError as error:
            problems.append(Problem(f"the DKIM key of {selector} {error}", name))
    if problems:
        raise ConfigError.from_problems(problems)
    return tuple(keys)


class _UnusableKeyError(Exception):
    """Signals that a key file cannot be used.

    The text says why and what to do. It continues a sentence that begins with "the DKIM key of SELECTOR".
    """


def _read_key_file(path: Path, name: str) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise _UnusableKeyError("is not a file; name a PEM file in [dkim] keys")
        if os.name == "posix" and mode & 0o006:
            raise _UnusableKeyError(
                f"can be read or changed by everybody on this machine; run `chmod 600 {name}`"
            )
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except FileNotFoundError:
        raise _UnusableKeyError(
            "does not exist; create the file, or remove it from [dkim] keys in mailer.toml"
        ) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise _UnusableKeyError(f"cannot be read: {why}; allow this user to read the file") from None


def _signing_key(selector: str, pem: bytes) -> SigningKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise _UnusableKeyError(
            "has a passphrase, which nobody can type during a run; write the key without it "
            "(`openssl pkey -in OLD -out NEW`)"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        what = "a public key" if b"PUBLIC KEY-----" in pem else "no readable private key in PEM format"
        raise _UnusableKeyError(f"holds {what}; create a key with `openssl genpkey`") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size not in _BITS:
            raise _UnusableKeyError(
                f"has {key.key_size} bits, but must have {_BITS.start} to {_BITS.stop - 1}; "
                "create a key of 2048 bits"
            )
        padding, digest = PKCS1v15(), Prehashed(SHA256())
        rsa = key
        der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return SigningKey(selector, "rsa-sha256", _base64(der), lambda data: rsa.sign(data, padding, digest))
    if isinstance(key, Ed25519PrivateKey):
        raw = key.public_key().public_bytes_raw()
        return SigningKey(selector, "ed25519-sha256", _base64(raw), key.sign)
    raise _UnusableKeyError(
        "is neither RSA nor Ed25519, the only kinds that DKIM supports; create one of these"
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
