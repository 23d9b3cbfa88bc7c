"""Finds e-mail addresses in texts of other programs: servers' answers, logs, lists, messages. Pure.

An address may be written in other letter case, with its domain in Unicode, in percent-encoding, with HTML or
JSON escapes, in quoted-printable, in base64 or in UTF-16.
"""

from __future__ import annotations

import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import unquote, unquote_to_bytes

from mailer.addresses import Address, read_address

__all__ = ["LONGEST_SPELLING", "REPLACEMENT", "AddressSpellings", "redact_addresses"]

#: Replaces an address.
REPLACEMENT = "[erased]"
#: The most bytes of an address in any spelling but base64: each byte as `%3A`, and line breaks.
LONGEST_SPELLING = 4096

_AT = r"(?:@|%40|=40|&#0*64;|&#x0*40;|&commat;)"
_ANY_AT = re.compile(_AT, re.IGNORECASE)
# Matches a token between white space, brackets and quotes that holds an @ in some form.
_TOKEN = re.compile(rf"(?:(?!{_AT})[^\s<>()\[\],\"\\])+{_AT}(?:&#?\w+;|[^\s<>()\[\]:;,\"\\])+", re.IGNORECASE)
_INNER = re.compile(r"[^\s<>()\[\]:;,\"\\@]+@[^\s<>()\[\]:;,\"\\@'`|{}&?#%/]+")
# Letters that a local part may hold, and that more often stand before an address.
_BEFORE = re.compile(r"[^\w.+-]", re.ASCII)

# The local part may be quoted, and a return path of others may name an address: list-ann=example.org@….
_QUOTED = re.compile(r'"([^\s<>()\[\]:;,"\\@]+)"(@[^\s<>()\[\]:;,"\\@]+)')
_RETURN_PATH = re.compile(r"([^\s<>()\[\]:;,\"\\@=]+)=([^\s<>()\[\]:;,\"\\@=]+)(?=@)")
_BEFORE_IN_PATH = re.compile(r"[^\w.]", re.ASCII)

_SIGNS = frozenset("%=&")

_JSON = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|[nrtbf/\"\\])")
_HTML = re.compile(rb"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|commat);")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{12,}(?:\r?\n[A-Za-z0-9+/]+)*={0,2}")
_WRAPPED = re.compile(rb"[A-Za-z0-9+/]{60}\r?\n[A-Za-z0-9+/]{60}")
_PART_OF_LOCAL = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789._+-")
_PART_OF_DOMAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-")
_LETTERS = re.compile(r"[a-z0-9]+")


def redact_addresses(text: str, is_erased: Callable[[str], bool]) -> str:
    """Returns `text` with `[erased]` in place of each address of an erased person.

    `is_erased` returns whether an address key (`Address.key`) belongs to an erased person. If an address is
    encoded together with the text around it, that text is replaced, too.
    """
    text = text.replace("\\u0040", "@")
    if not _ANY_AT.search(text):
        return text
    text = _QUOTED.sub(lambda found: _redact_quoted_address(found, is_erased), text)
    return _TOKEN.sub(lambda found: _redact_token(found[0], is_erased), text)


def _redact_quoted_address(match: re.Match[str], is_erased: Callable[[str], bool]) -> str:
    plain = match[1] + match[2]
    without = _redact_token(plain, is_erased)
    return match[0] if without == plain else without


def _redact_token(token: str, is_erased: Callable[[str], bool]) -> str:
    plain = token
    for decoded in _decoded_forms(token):
        for inner in _INNER.findall(decoded):
            for address in _addresses_at_end(inner.rstrip(".'!-_")):
                if is_erased(address.key):
                    if decoded is not token or address.address not in plain:
                        return REPLACEMENT
                    plain = plain.replace(address.address, REPLACEMENT)
        for local, domain in _RETURN_PATH.findall(decoded):
            for address in _addresses_at_end(f"{local}@{domain}", _BEFORE_IN_PATH):
                if is_erased(address.key):
                    return REPLACEMENT
    return plain


def _decoded_forms(token: str) -> Iterable[str]:
    """Returns the token, and its decoded forms if a part of the token may be encoded."""
    if _SIGNS.isdisjoint(token):
        return (token,)
    return dict.fromkeys((token, unquote(html.unescape(token)), unquote(_decoded_quoted_printable(token))))


def _decoded_quoted_printable(token: str) -> str:
    """Returns the token decoded from quoted-printable, so that `=40` becomes `@`."""
    try:
        return binascii.a2b_qp(token.encode()).decode("utf-8", "replace")
    except ValueError:
        return token


def _addresses_at_end(text: str, boundary: re.Pattern[str] = _BEFORE) -> Iterator[Address]:
    """Yields the addresses that end where the text ends, such as `a@b` in `to=a@b`.

    Besides the whole text, the parts after each match of `boundary` are tried.
    """
    local = text.partition("@")[0]
    starts = [0, *(found.end() for found in boundary.finditer(local) if found.end() < len(local))]
    for start in starts[:20]:
        try:
            yield read_address(text[start:])
        except ValueError:
            continue


class AddressSpellings:
    """Searches bytes for one address in all spellings of the address."""

    def __init__(self, address: Address) -> None:
        self.address = address
        local, _, domain = address.address.rpartition("@")
        self._is_ascii = address.address.isascii() and _unicode_domain(domain).isascii()
        locals_ = {local, local.upper(), local.lower(), address.key.rpartition("@")[0]}
        locals_ |= {unicodedata.normalize(form, each) for form in ("NFC", "NFD") for each in locals_}
        texts = {f"{each}@{there}" for each in locals_ for there in {domain, _unicode_domain(domain)}}
        encoded = {text.encode(name) for text in texts for name in ("utf-8", "gb18030")}
        encoded |= {text.replace("@", "=").encode() for text in texts}  # return paths of others: a=b@list
        self._needles = sorted({self._lower_case(each) for each in encoded})

    @property
    def longest_letter_run(self) -> str:
        """Returns the longest run of ASCII letters and digits before the @, in lower case. May be ""."""
        return max(_LETTERS.findall(self.address.key.rpartition("@")[0]), key=len, default="")

    def is_in(self, data: bytes) -> bool:
        """Returns whether `data` contains the address in any spelling and encoding.

        In text, an address that is only a part of a longer address does not count. In data with zero bytes,
        such as a database file, it counts, because there nothing separates two texts.
        """
        return any(
            self._occurs_in(self._lower_case(form), whole_address_only=0 not in form)
            for form in _decodings(data)
        )

    def is_unencoded_in(self, data: bytes) -> bool:
        """Returns whether `data` contains the address unencoded, in any case.

        A part of a longer address counts.
        """
        return self._occurs_in(self._lower_case(data), whole_address_only=False)

    def _lower_case(self, data: bytes) -> bytes:
        if self._is_ascii:
            return data.lower()
        return data.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape")

    def _occurs_in(self, data: bytes, *, whole_address_only: bool) -> bool:
        for needle in self._needles:
            if not whole_address_only:
                if needle in data:
                    return True
                continue
            start = data.find(needle)
            while start >= 0:
                if _is_whole_address(data, start, start + len(needle)):
                    return True
                start = data.find(needle, start + 1)
        return False


def _is_whole_address(data: bytes, start: int, end: int) -> bool:
    """Returns whether the address in `data[start:end]` is not a part of a longer address."""
    if start and data[start - 1] in _PART_OF_LOCAL and b"@" in data[start:end]:
        return False
    if end < len(data) and data[end] in _PART_OF_DOMAIN:
        return False
    return not (end + 1 < len(data) and data[end : end + 1] == b"." and data[end + 1] in _PART_OF_DOMAIN)


def _unicode_domain(domain: str) -> str:
    import idna

    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


def _decodings(data: bytes) -> Iterator[bytes]:
    """Yields `data`, and `data` decoded in each way that may apply."""
    yield data
    if data.count(0) > len(data) // 20:
        for name in ("utf-16-le", "utf-16-be"):
            yield data.decode(name, "ignore").encode("utf-8", "ignore")
    if b"%" in data:
        yield unquote_to_bytes(data)
    if b"=" in data:
        quoted = binascii.a2b_qp(data)
        yield quoted
        if b"%" in quoted:
            yield unquote_to_bytes(quoted)
    if b"\\" in data:
        yield _JSON.sub(_decoded_json_escape, data)
    if b"&" in data:
        yield _HTML.sub(lambda found: html.unescape(found[0].decode()).encode("utf-8", "ignore"), data)
    small = data.lower()
    if b"base64" in small or b"?b?" in small or _WRAPPED.search(data):
        for run in _BASE64.finditer(data):
            # A piece that begins within a run may begin at any of the four letters of a group.
            for skipped in range(4 if run.start() == 0 else 1):
                yield _decoded_base64(run[0], skipped)


def _decoded_json_escape(found: re.Match[bytes]) -> bytes:
    return chr(int(found[1], 16)).encode("utf-8", "ignore") if found[1] else b" "


def _decoded_base64(run: bytes, skipped_letters: int) -> bytes:
    letters = b"".join(run.rstrip(b"=").split())[skipped_letters:]
    usable = len(letters) - (len(letters) % 4 == 1)
    return binascii.a2b_base64(letters[:usable] + b"=" * (-usable % 4))
