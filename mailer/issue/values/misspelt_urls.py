"""Recognises misspelt URLs: `htps://`, `http//`, `https:/`, `www.…`."""

from __future__ import annotations

import re

__all__ = ["FILE_ENDINGS", "MISSPELT", "is_misspelt_url", "corrected_url"]

_ENDINGS = (
    "avif bak bat bin bmp c cfg conf cpp cs css csv doc docx dll dmg eps epub exe gif go gz h heic htm html "
    "ico ini ipynb iso jar java jpeg jpg js json jsx jxl key lock log m4a md mjml mkv mobi mov mp3 mp4 msi "
    "odp ods odt ogg otf pdf php pkg pl png ppt pptx ps psd py rar rb rs rst rtf sh sql svg tar tex tgz tif "
    "tiff toml ts tsx ttf txt vb vue wav webm webp woff woff2 xls xlsx xml yaml yml zip"
)
#: Endings of file names that could be taken for domains.
FILE_ENDINGS = frozenset(_ENDINGS.split())
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3002: ord(".")}
_REST = r"(?P<rest>(?:[^\W_][\w-]*\.)+[^\W\d_]{2,}(?![\w-])[^\s]*)"
_SLIP = r"(?P<scheme>h[htp]{1,5}s{0,2}|t{1,2}p{1,2}s?)"
_SEPARATOR = r"(?:[:;\uff1a\uff1b]\s?[/\\\uff0f\uff3c]{1,4}|//|[:;.\uff1a\uff1b](?=www\.))\s?"
#: An address whose beginning is wrong, in a text.
MISSPELT = re.compile(
    rf"(?<![A-Za-z0-9/:]){_SLIP}{_SEPARATOR}(?=[^\W_][\w-]*[.\uff0e\u3002][^\W\d_])", re.IGNORECASE
)
_WHOLE = re.compile(rf"(?:{_SLIP}{_SEPARATOR})?(?:https?:/*)?/{{0,2}}{_REST}", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@(?:[^\W_][\w-]*\.)+[^\W\d_]{2,}")
_RIGHT = re.compile(r"https?://", re.IGNORECASE)


def corrected_url(text: str) -> str:
    """Returns the URL that `text` was probably meant to be, or "" if no URL is likely."""
    plain = text.strip().translate(_WIDE)
    if _MAIL.fullmatch(plain):
        return f"mailto:{plain}"
    found = _WHOLE.fullmatch(plain)
    if found is None:
        return ""
    host = re.split(r"[/?#:]", found["rest"], maxsplit=1)[0]
    if not found["scheme"] and host.rpartition(".")[2].lower() in FILE_ENDINGS:
        return ""
    scheme = "http" if found["scheme"] and "s" not in found["scheme"].lower() else "https"
    return f"{scheme}://{found['rest']}"


def is_misspelt_url(match: re.Match[str]) -> bool:
    """Returns whether a match of the pattern MISSPELT is a misspelt URL and not a correct `https://`."""
    return _RIGHT.fullmatch(match[0]) is None
