"""Normalises the URL of a link to ASCII, once for mail, text part and web page.

Paths, queries and fragments are percent-encoded as UTF-8 (RFC 3987), hosts are written in IDNA, and escapes
that are there already stay. A URL that nobody can have meant is refused with a sentence.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, unquote

from mailer.addresses import address_with_ascii_domain, read_address
from mailer.issue.values.hosts import ascii_authority
from mailer.issue.values.misspelt_urls import corrected_url

__all__ = ["LONGEST", "SLOT_MARK", "likely_url_mistakes", "normalised_url", "url_for_message"]

#: Replaces a slot in a URL while the URL is checked.
SLOT_MARK = "\ue000"
#: The maximum number of characters of a URL as it is typed.
LONGEST = 2000

_ALLOWED = 'https://, http://, mailto:, tel:, webcal:// or "#" and the name of a part of this issue'
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
#: Characters that RFC 3986 allows in a path, a query and a fragment, except the percent sign.
_SAFE = r"A-Za-z0-9._~!$&'()*+,;=:@/?\-"
_NAMES = {
    "\t": "a tab",
    "\n": "a line end",
    "\u00a0": "a no-break space",
    "\u00ad": "a soft hyphen",
    "\u200b": "a zero-width space",
    "\u200c": "a zero-width non-joiner",
    "\u200d": "a zero-width joiner",
    "\u200e": "a left-to-right mark",
    "\u200f": "a right-to-left mark",
    "\u2060": "a word joiner",
    "\u3000": "a full-width space",
    "\ufeff": "a byte order mark",
}
#: Letters and marks that are invisible, although their Unicode categories say otherwise.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
_STOPS = "\uff0c\u3002\uff1b\uff1a\u3001\uff64\uff61"
_PAIRS = {"\uff09": "\uff08", "\u3011": "\u3010", "\u300b": "\u300a", "\u3009": "\u3008", "\u300d": "\u300c"}
_PAIRS |= {"\u300f": "\u300e", "\u201d": "\u201c", "\u2019": "\u2018"}


def normalised_url(text: str) -> str:
    """Returns the URL `text` in ASCII, except that SLOT_MARK stands in place of each slot, as in `text`.

    Raises ValueError with a sentence if the URL is not valid.
    """
    shown = url_for_message(text)
    if len(text) > LONGEST:
        raise ValueError(f'"{shown}" is longer than {LONGEST:,} characters; shorten it')
    try:
        return _normalised_url_by_scheme(text)
    except ValueError as error:
        message = str(error)
        raise ValueError(message if message.startswith('"') else f'"{shown}" {message}') from None


def likely_url_mistakes(text: str) -> list[str]:
    """Returns a sentence for each probable mistake in a URL that `normalised_url` accepts."""
    found = []
    if "\u00ad" in text:
        found.append(f'"{url_for_message(text)}" contains a soft hyphen, which is invisible; delete it')
    if "&amp;" in text:
        found.append(f'"{url_for_message(text)}" contains &amp;, which is HTML; write only &')
    path = re.sub(r"^[a-z]+://[^/?#]*", "", text, flags=re.IGNORECASE)
    mark = next((character for character in path if character in _STOPS), None)
    if mark and _SCHEME.match(text) and text[:7].lower() != "mailto:":
        found.append(
            f'"{url_for_message(text)}" continues after "{mark}"; delete what does not belong to the URL, or '
            f"write {quote(mark)} if all of it does"
        )
    return found


def url_for_message(text: str) -> str:
    """Returns a URL for use in a message: on one line, shortened, with slots as {{ … }}."""
    plain = "".join(c if c.isprintable() or c == SLOT_MARK else "\ufffd" for c in text)
    plain = plain.replace(SLOT_MARK, "{{ … }}")
    return plain if len(plain) <= 80 else plain[:79] + "…"


def _normalised_url_by_scheme(text: str) -> str:
    if not text:
        raise ValueError(f"must begin with {_ALLOWED}")
    _refuse_invisible_characters(text)
    scheme = _SCHEME.match(text)
    name = scheme[1].lower() if scheme else ""
    rest = text[scheme.end() :] if scheme else text
    if name in ("https", "http", "webcal"):
        return _normalised_web_url(name, rest, text)
    if name == "mailto":
        return _normalised_mailto(rest)
    if name == "tel":
        return _normalised_telephone(rest)
    if text.startswith("#"):
        if SLOT_MARK in text or len(text) == 1:
            raise ValueError("must name a part of this issue, as in #item-2")
        return "#" + _percent_encoded(text[1:])
    better = corrected_url(text)
    raise ValueError(f"must begin with {_ALLOWED}" + (f"; write {url_for_message(better)}" if better else ""))


def _refuse_invisible_characters(text: str) -> None:
    if text.isascii() and text.isprintable():
        return
    for index, character in enumerate(text):
        if character == " " or character == SLOT_MARK or (character.isascii() and character.isprintable()):
            continue
        category = unicodedata.category(character)
        if category[0] not in "ZC" and character not in _UNSEEN:
            continue
        if category == "Cn" or character == "\u00ad":
            continue  # a letter newer than this table; a soft hyphen is reported by `likely_url_mistakes`
        if character in "\u200c\u200d":
            import idna

            if idna.valid_contextj(text, index):
                continue
        name = _NAMES.get(character, "an invisible character")
        advice = "delete it"
        if category != "Cs" and re.match(
            "[A-Za-z]+://[^/?#]+[/?#]|mailto:.*[?]", text[:index], re.IGNORECASE
        ):
            advice += f", or write {quote(character)} if it belongs to the URL"
        raise ValueError(f"holds {name} (U+{ord(character):04X}); {advice}")


def _normalised_web_url(scheme: str, after_scheme: str, url: str) -> str:
    if "\\" in after_scheme:
        raise ValueError('contains "\\"; write / instead, or %5C if it belongs to the URL')
    found = re.match(r"//([^/?#]*)(.*)", after_scheme, re.DOTALL)
    if found is None:
        better = corrected_url(url)
        raise ValueError(
            f"must begin with {scheme}://" + (f"; write {url_for_message(better)}" if better else "")
        )
    host, tail = found[1], found[2]
    if SLOT_MARK in host:
        raise ValueError(
            "has a slot in its host; write a host that is the same for all readers, as in "
            "https://example.org/page, and slots only in the path or the query after the host"
        )
    if "\u00ad" in host:
        raise ValueError("holds a soft hyphen (U+00AD) in its host; delete it")
    for character in " <>":
        if character in after_scheme:
            called = "a space" if character == " " else f'"{character}"'
            raise ValueError(
                f"holds {called}; delete what does not belong to the URL, or write {quote(character)}"
            )
    if not host and (better := corrected_url(url)):
        raise ValueError(f"needs a host, as in https://example.org/page; write {url_for_message(better)}")
    place = ascii_authority(host)
    _refuse_doubtful_path_end(tail)
    path, hash_, fragment = tail.partition("#")
    return f"{scheme}://{place}{_percent_encoded(path)}{hash_}{_percent_encoded(fragment)}"


def _refuse_doubtful_path_end(path: str) -> None:
    last = path[-1:]
    unpaired = last in _PAIRS and path.count(last) > path.count(_PAIRS[last])
    if last and (last in _STOPS or unpaired):
        raise ValueError(f'ends with "{last}"; delete it, or write {quote(last)} if it belongs to the URL')
    if re.search(rf"[{_STOPS}]\s*(?:https?:/|www\.)", path, re.IGNORECASE):
        raise ValueError("contains two URLs; make two links of them")


def _normalised_mailto(after_scheme: str) -> str:
    written, mark, query = after_scheme.partition("?")
    if after_scheme.startswith("//") or not (written.strip() or query):
        raise ValueError("needs an e-mail address, as in mailto:desk@example.org")
    if SLOT_MARK in written:
        raise ValueError("has a slot in its e-mail address; slots may only be used after the ?")
    places = [_encoded_mailbox(each) for each in written.split(",")] if written.strip() else []
    for field in query.split("&") if query else ():
        if not re.match(r"[A-Za-z-]+=", field):
            name = url_for_message(field) or "nothing"
            raise ValueError(f"holds {name} after the ?; write ?subject=…&body=…, and %26 for & within them")
    return f"mailto:{','.join(places)}{mark}{_percent_encoded(query)}"


def _encoded_mailbox(text: str) -> str:
    address = read_address(unquote(text.strip())).address
    local, _, domain = address_with_ascii_domain(address).rpartition("@")
    return f"{quote(local, safe='!$*+-._~')}@{domain}"


def _normalised_telephone(after_scheme: str) -> str:
    if SLOT_MARK in after_scheme:
        raise ValueError("must not contain a slot, because the number is the same for all readers")
    number, mark, more = after_scheme.partition(";")
    if re.search(r"\(0\)", number):
        raise ValueError('holds "(0)", which telephones would dial; leave it out')
    digits = re.sub(r"[ ().\u2010-\u2013/-]|%20", "", number)
    if not re.fullmatch(r"\+?[0-9*]{2,20}", digits):
        raise ValueError("is not a telephone number; write it as tel:+49301234")
    return f"tel:{digits}{mark}{_percent_encoded(more)}"


def _percent_encoded(text: str) -> str:
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    return re.sub(rf"[^{_SAFE}%{SLOT_MARK}]", lambda found: quote(found[0], safe=""), text)
