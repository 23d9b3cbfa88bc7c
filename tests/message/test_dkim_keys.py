"""A key that cannot sign, or that others can read, is one sentence and never a traceback."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from mailer.config import Dkim, Settings
from mailer.errors import ConfigError
from mailer.message.dkim_keys import load_keys
from tests.signing import ED25519, RSA, ed25519_key, pem, rsa_key, with_keys, write_key

NAME = ".dkim/s.pem"


def with_file(settings: Settings, data: bytes) -> Settings:
    write_key(settings.root / NAME, data)
    return settings.model_copy(update={"dkim": Dkim(keys={"s": NAME})})


def told(settings: Settings) -> str:
    with pytest.raises(ConfigError) as caught:
        load_keys(settings)
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_both_kinds_are_read_and_tell_their_records(settings: Settings) -> None:
    rsa, ed25519 = load_keys(with_keys(settings))
    assert (rsa.selector, rsa.algorithm) == (RSA, "rsa-sha256")
    assert (ed25519.selector, ed25519.algorithm) == (ED25519, "ed25519-sha256")
    der = rsa_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert rsa.dns_record == f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode()}"
    raw = ed25519_key().public_key().public_bytes_raw()
    assert ed25519.dns_record == f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"
    assert "PRIVATE" not in repr((rsa, ed25519))


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_rsa_is_read_in_both_forms(settings: Settings, form: PrivateFormat) -> None:
    (key,) = load_keys(with_file(settings, pem(rsa_key(), form)))
    assert len(key.sign(b"\0" * 32)) == 256


def test_a_key_may_be_as_long_as_receivers_must_verify(settings: Settings) -> None:
    (key,) = load_keys(with_file(settings, pem(rsa_key(4096))))
    assert len(key.sign(b"\0" * 32)) == 512


@pytest.mark.parametrize("bits", [1024, 2047, 4104])
def test_an_rsa_key_of_another_length_is_refused(settings: Settings, bits: int) -> None:
    assert told(with_file(settings, pem(rsa_key(bits)))) == (
        f"{NAME}: the DKIM key of s has {bits} bits, but must have 2048 to 4096; create a key of 2048 bits"
    )


def encrypted(form: PrivateFormat) -> bytes:
    return rsa_key().private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"swordfish"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            encrypted(PrivateFormat.PKCS8),
            "has a passphrase, which nobody can type during a run; write the key",
        ),
        (encrypted(PrivateFormat.TraditionalOpenSSL), "has a passphrase, which nobody can type"),
        (
            ec.generate_private_key(ec.SECP256R1()).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
            ),
            "is neither RSA nor Ed25519, the only kinds that DKIM supports; create one of these",
        ),
        (
            ed448.Ed448PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "is neither RSA nor Ed25519",
        ),
        (
            rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "holds a public key; create a key with `openssl genpkey`",
        ),
        (b"", "holds no readable private key in PEM format; create a key"),
        (b"\xff\x00 garbage", "holds no readable private key in PEM format; create a key"),
        (pem(ed25519_key())[:60], "holds no readable private key in PEM format; create a key"),
        (
            ed25519_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            "holds no readable private key in PEM format; create a key",
        ),
    ],
    ids=["pkcs8", "pkcs1", "ec", "ed448", "public", "empty", "garbage", "cut", "der"],
)
def test_what_cannot_sign_is_refused(settings: Settings, data: bytes, reason: str) -> None:
    assert told(with_file(settings, data)).startswith(f"{NAME}: the DKIM key of s {reason}")


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
def test_a_key_that_everybody_can_read_is_refused(settings: Settings, mode: int) -> None:
    signing = with_file(settings, pem(ed25519_key()))
    (settings.root / NAME).chmod(mode)
    assert told(signing) == (
        f"{NAME}: the DKIM key of s can be read or changed by everybody on this machine; "
        f"run `chmod 600 {NAME}`"
    )
    (settings.root / NAME).chmod(0o640)  # a group may share it
    assert len(load_keys(signing)) == 1


def test_a_file_that_is_not_there_or_is_none_is_refused(settings: Settings) -> None:
    signing = settings.model_copy(update={"dkim": Dkim(keys={"s": NAME})})
    assert told(signing) == (
        f"{NAME}: the DKIM key of s does not exist; create the file, "
        "or remove it from [dkim] keys in mailer.toml"
    )
    (settings.root / NAME).mkdir(parents=True)
    assert told(signing) == f"{NAME}: the DKIM key of s is not a file; name a PEM file in [dkim] keys"


def test_a_file_that_cannot_be_read_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    signing = with_file(settings, pem(ed25519_key()))

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert told(signing) == (
        f"{NAME}: the DKIM key of s cannot be read: permission denied; allow this user to read the file"
    )


def test_all_that_is_wrong_is_told_at_once(settings: Settings) -> None:
    write_key(settings.root / ".dkim/b.pem", b"x")
    wrong = settings.model_copy(update={"dkim": Dkim(keys={"a": ".dkim/a.pem", "b": ".dkim/b.pem"})})
    assert [line.partition(": ")[0] for line in told(wrong).split("\n")] == [".dkim/a.pem", ".dkim/b.pem"]
