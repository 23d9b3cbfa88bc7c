"""Reads and checks the private keys of DKIM, and writes their DNS records.

Keys are RSA of 2048 to 4096 bits (RFC 8301) or Ed25519 (RFC 8463). A key that cannot be used, or that other
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
    """Holds one selector's key. `algorithm` is the `a=` of its signatures, `public` the `p=` of its record.

    `sign` takes a SHA-256 digest (32 octets) and returns the octets of `b=`.
    """

    selector: str
    algorithm: str
    public: str
    sign: Callable[[bytes], bytes] = field(repr=False)

    @property
    def record(self) -> str:
        """Returns the TXT record of `SELECTOR._domainkey.DOMAIN` (RFC 6376 section 3.6.1)."""
        return f"v=DKIM1; k={self.algorithm.partition('-')[0]}; p={self.public}"


def load_keys(settings: Settings) -> tuple[SigningKey, ...]:
    """Returns the keys of `[dkim]` in order, read from their files at this moment.

    Raises ConfigError with everything that is wrong with any of them.
    """
    keys: list[SigningKey] = []
    problems: list[Problem] = []
    for (selector, path), name in zip(settings.dkim_keys, settings.dkim.keys.values(), strict=True):
        try:
            keys.append(_key(selector, _read(path, name)))
        except _Unusable as error:
            problems.append(Problem(f"the DKIM key of {selector} {error}", name))
    if problems:
        raise ConfigError.from_problems(problems)
    return tuple(keys)


class _Unusable(Exception):
    """Says why a key's file cannot be used and what to do, as the rest of a sentence."""


def _read(path: Path, name: str) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise _Unusable("is not a file; name a PEM file in [dkim] keys")
        if os.name == "posix" and mode & 0o006:
            raise _Unusable(f"can be read or changed by everybody on this machine; run `chmod 600 {name}`")
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except FileNotFoundError:
        raise _Unusable("is not there; make it, or take it out of [dkim] keys in mailer.toml") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise _Unusable(f"cannot be read: {why}; let this user read it") from None


def _key(selector: str, pem: bytes) -> SigningKey:
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
        raise _Unusable(
            "has a passphrase, and nobody could type it during a run; write it without one "
            "(`openssl pkey -in OLD -out NEW`)"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        what = "a public key" if b"PUBLIC KEY-----" in pem else "no private key in PEM that can be read"
        raise _Unusable(f"holds {what}; make a key with `openssl genpkey`") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size not in _BITS:
            raise _Unusable(
                f"has {key.key_size} bits, and receivers count on {_BITS.start} to {_BITS.stop - 1}; "
                "make one of 2048"
            )
        padding, digest = PKCS1v15(), Prehashed(SHA256())
        rsa = key
        der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return SigningKey(selector, "rsa-sha256", _base64(der), lambda data: rsa.sign(data, padding, digest))
    if isinstance(key, Ed25519PrivateKey):
        raw = key.public_key().public_bytes_raw()
        return SigningKey(selector, "ed25519-sha256", _base64(raw), key.sign)
    raise _Unusable("is neither RSA nor Ed25519, and DKIM knows no other kind; make one of those")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
