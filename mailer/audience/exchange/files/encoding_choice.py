"""Chooses the encoding of a sample by the likelihood of its text in each encoding, with chardet as second
opinion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import chardet

from mailer.audience.exchange.files.likelihood import EAST_ASIAN, LANGUAGES, Likelihood, log_likelihood

__all__ = ["likeliest_codecs", "codec_as_likely_as_utf8"]

#: The best reading must be likelier than the next by e to this power, with and without chardet's agreement.
_AGREED, _ALONE = 4.0, 9.0
#: Valid UTF-8 with more letters beyond ASCII than this is no coincidence.
_FEW, _ODD = 24, -5.0
#: A letter of another script, or a Latin letter or mark that few languages have, within a Latin word.
_RARELY = (
    "\u0180-\u019f\u01a2-\u01ae\u01b1-\u01cc\u01dd-\u01e5\u01e8-\u0217\u021c-\u024f"
    "\u0305\u030d-\u0322\u0324-\u0326\u0329-\u0330\u0332-\u07ff"
)
_MIXED = re.compile(f"[A-Za-z][{_RARELY}]|[{_RARELY}][A-Za-z]")
#: The least logarithm of the likelihood of a character in common use.
_COMMON = -8.5
#: Encodings that few lists use today must be likelier by this logarithm.
_RARE = dict.fromkeys(
    ("mac_roman", "mac_cyrillic", "cp850", "cp437", "cp866", "iso8859_5", "koi8_u", "cp1257"), 1.5
) | (dict.fromkeys(("mac_latin2", "mac_turkish", "mac_greek", "cp852", "cp857", "cp737", "cp1258"), 3.0))
#: Of several encodings that give the same text, the first here is used: the one in commonest use.
_ORDER = (*EAST_ASIAN, *LANGUAGES)
_CHARDET = (
    "big5hkscs", "cp932", "cp949", "euc_jis_2004", "gb18030", "cp1250", "cp1251", "cp1252", "cp1253",
    "cp1254", "cp1255", "cp1256", "cp1257", "cp874", "iso8859-2", "iso8859-15", "iso8859-5", "iso8859-7",
    "koi8-r", "koi8-u", "mac-roman", "mac-latin2", "mac-cyrillic", "mac-turkish", "mac-greek", "cp437",
    "cp850", "cp852", "cp857", "cp866", "cp737",
)  # fmt: skip


@dataclass(slots=True)
class _DecodedSample:
    """Holds a text that one or several encodings make of the sample, with the likelihood of the text."""

    codec: str
    text: str
    likelihood: Likelihood


def likeliest_codecs(sample: bytes) -> tuple[str, str]:
    """Returns (codec, "") if one codec is the likeliest, two codecs if both are likely, or ("", "") if none
    is likely.
    """
    readings = _distinct_decodings(sample)
    readings.sort(key=lambda reading: -reading.likelihood.log)
    if not readings or not readings[0].likelihood.is_plausible:
        return "", ""
    best = readings[0]
    if len(readings) == 1:
        return best.codec, ""
    second = readings[1]
    margin = best.likelihood.log - second.likelihood.log
    if margin >= (_AGREED if _text_decoded_by_chardet(sample) == best.text else _ALONE):
        return best.codec, ""
    return best.codec, second.codec


def codec_as_likely_as_utf8(sample: bytes) -> str:
    """Returns a codec in which a sample of valid UTF-8 is as likely as in UTF-8, or "".

    Two Chinese characters in another encoding are sometimes valid UTF-8, but then the UTF-8 text is no word.
    """
    text = sample.decode("utf-8", "replace")
    count = sum(one > "\x7f" for one in text)
    if count > _FEW:
        return ""
    own = max(log_likelihood(codec, text).log for codec in _ORDER)
    plausible = [reading for reading in _distinct_decodings(sample) if reading.likelihood.is_plausible]
    if plausible and _MIXED.search(text):
        return max(plausible, key=lambda reading: reading.likelihood.log).codec
    # Only the words of East Asian encodings hold such pairs of letters.
    others = [reading for reading in plausible if reading.codec in EAST_ASIAN]
    best = max(others, key=lambda reading: reading.likelihood.log, default=None)
    if (
        best is None
        or best.likelihood.characters < 2
        or best.likelihood.log < _COMMON * best.likelihood.characters
    ):
        return ""
    return best.codec if own < _ODD * count and best.likelihood.log > own - _AGREED else ""


def _distinct_decodings(sample: bytes) -> list[_DecodedSample]:
    """Returns the different texts that the usual encodings make of the sample, each with a likelihood."""
    found: dict[str, _DecodedSample] = {}
    for codec in _ORDER:
        try:
            text = sample.decode(codec)
        except UnicodeDecodeError:
            continue
        likelihood = log_likelihood(codec, text)
        likelihood.log -= _RARE.get(codec, 0)
        known = found.get(text)
        if known is None:
            found[text] = _DecodedSample(codec, text, likelihood)
        elif likelihood.log > known.likelihood.log:
            known.likelihood = likelihood
    return list(found.values())


def _text_decoded_by_chardet(sample: bytes) -> str:
    """Returns the text of the sample in the encoding that chardet prefers."""
    guesses = chardet.detect_all(
        sample, include_encodings=_CHARDET, ignore_threshold=True, compat_names=False, prefer_superset=False
    )
    codec = next((guess["encoding"] for guess in guesses if guess["encoding"]), None)
    return sample.decode(codec, "replace") if codec else ""
