"""Signs the assertion of a service account: a JWT that is exchanged for an access token (RFC 7523).

Google's key file is JSON with `client_email`, `private_key` and `private_key_id`. The key file of another
provider may be PEM; then the issuer of the JWT is the client id in mailer.toml.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mailer.errors import ConfigError, TransportError

__all__ = ["GRANT_TYPE", "ServiceKey", "read_service_key", "signed_assertion"]

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SECONDS: Final = 600  # Google takes an hour at most
_LONGEST_FILE: Final = 100_000


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """Holds the private key of a service account.

    `issuer` is the account's id, `pem` the key as PEM (never shown by repr), and `key_id` the key's id or ''.
    """

    issuer: str
    pem: str = field(repr=False)
    key_id: str = ""


def read_service_key(path: Path, client_id: str) -> ServiceKey:
    """Returns the service account's key from the file at `path`.

    `client_id` is the issuer if the file is PEM, which does not name the account. Raises ConfigError if the
    file cannot be used.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_FILE).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(_key_file_error_text(path, f"cannot be read: {error.strerror}")) from None
    except UnicodeDecodeError:
        raise ConfigError(_key_file_error_text(path, "is neither JSON nor PEM")) from None
    if text.lstrip().startswith("-----BEGIN"):
        if not client_id:
            raise ConfigError(
                "[delivery.oauth] client_id is missing, and a PEM file does not say whose key it holds; "
                "set client_id to the id of the service account"
            )
        return ServiceKey(client_id, text)
    try:
        account = json.loads(text)
        fields = [account[name] for name in ("client_email", "private_key")]
        key_id = account.get("private_key_id", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        fields, key_id = [], ""
    if (
        not fields
        or not all(isinstance(value, str) and value for value in fields)
        or not isinstance(key_id, str)
    ):
        raise ConfigError(_key_file_error_text(path, "holds no key of a service account"))
    return ServiceKey(fields[0], fields[1], key_id)


def signed_assertion(key: ServiceKey, user: str, token_endpoint: str, scope: str) -> str:
    """Returns a signed JWT with which the service account asks for access to `user`'s mailbox.

    `scope` may be ''. Raises TransportError if the key cannot be used for signing.
    """
    from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from joserfc.jwk import ECKey, RSAKey

    try:
        elliptic = isinstance(load_pem_private_key(key.pem.encode(), None), ec.EllipticCurvePrivateKey)
        algorithm, kind = ("ES256", ECKey) if elliptic else ("RS256", RSAKey)
        header = {"alg": algorithm, "typ": "JWT"} | ({"kid": key.key_id} if key.key_id else {})
        return str(
            sign_jwt_bearer_assertion(
                kind.import_key(key.pem),
                key.issuer,
                token_endpoint,
                subject=user,
                claims={"scope": scope} if scope else {},
                header=header,
                expires_in=_SECONDS,
            )
        )
    except Exception:  # the libraries raise many kinds, and some of them show the key
        raise TransportError(
            "the private key in MAILER_OAUTH_KEY_FILE cannot be used to sign; use an RSA or P-256 key "
            "without a passphrase"
        ) from None


def _key_file_error_text(path: Path, problem: str) -> str:
    return (
        f"MAILER_OAUTH_KEY_FILE {path} {problem}; name the JSON file with the service account's key, "
        "or a PEM file with its private key"
    )
