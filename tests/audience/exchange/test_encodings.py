"""In whatever encoding a list comes: names are read right, or the file is refused, and never spoilt."""

from __future__ import annotations

import io
import itertools
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from mailer.audience.exchange.files.encoding import check_encoding, detect_encoding
from mailer.audience.exchange.report import ImportReport
from mailer.audience.people import list_subscribers
from mailer.errors import AudienceError
from tests.audience.exchange.people_of import ENCODINGS, invented

Load = Callable[..., ImportReport]

USUAL = [(language, encoding) for language, encodings in ENCODINGS.items() for encoding in encodings]
HEADERS = {"zh-Hans": "邮箱,姓名", "zh-Hant": "電子郵件,姓名", "ko": "이메일,이름", "ja": "メール,氏名"}


def written(
    language: str,
    encoding: str,
    count: int,
    seed: int,
    header: str = "email,name",
    case: Callable[[str], str] = str,
) -> tuple[str, bytes]:
    names = [case(name) for name in invented(language, count, seed)]
    rows = [f"r{number}@example.org,{name}" for number, name in enumerate(names)]
    text = "\n".join([header, *rows]) + "\n"
    # what the encoding has not is left out of the list, as its program would not have written it
    lines = [line for line in text.split("\n") if encodable(line, encoding)]
    text = "\n".join(lines)
    return text, text.encode(encoding)


def encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def read(content: bytes) -> str:
    """The text of the file, or "" where it is refused with a sentence that names --encoding."""
    try:
        codec = detect_encoding(io.BytesIO(content), "list.csv")
    except AudienceError as error:
        sentence = str(error)
    else:
        return content.decode(codec)
    assert sentence.startswith("list.csv")
    assert "--encoding" in sentence
    assert "\n" not in sentence
    return ""


@settings(max_examples=90, deadline=None)
@given(
    st.sampled_from(USUAL),
    st.one_of(st.integers(2, 12), st.integers(2, 500)),
    st.integers(0, 1 << 30),
    st.booleans(),
    st.sampled_from([str, str.upper, str.lower]),
)
def test_names_are_read_right_or_the_list_is_refused(
    usual: tuple[str, str], count: int, seed: int, own_header: bool, case: Callable[[str], str]
) -> None:
    language, encoding = usual
    header = HEADERS.get(language, "email,name") if own_header else "email,name"
    text, content = written(language, encoding, count, seed, header, case)
    assert read(content) in ("", text)
    named = check_encoding(io.BytesIO(content), "list.csv", encoding)
    assert content.decode(named) == text


@pytest.mark.parametrize(("language", "encoding"), USUAL)
def test_a_list_of_a_hundred_is_read_in_the_encoding_that_is_usual(language: str, encoding: str) -> None:
    if encoding == ENCODINGS[language][0]:
        text, content = written(language, encoding, 100, 7)
        assert read(content) == text


@pytest.mark.parametrize(("language", "encoding"), USUAL)
def test_a_short_list_is_never_spoilt(language: str, encoding: str) -> None:
    cases: tuple[Callable[[str], str], ...] = (str, str.upper, str.lower)
    for count, (seed, case) in itertools.product((1, 2, 3, 5, 20), enumerate(cases)):
        text, content = written(language, encoding, count, seed, case=case)
        assert read(content) in ("", text)


@pytest.mark.parametrize(
    ("encoding", "language"),
    [
        ("big5", "zh-Hant"),
        ("euc_kr", "ko"),
        ("euc_jp", "ja"),
        ("shift_jis", "ja"),
        ("cp1252", "de"),
        ("gbk", "zh-Hans"),
    ],
)
def test_names_of_a_list_in_the_database_are_those_of_the_file(
    db: Database, load: Load, encoding: str, language: str
) -> None:
    text, content = written(language, encoding, 60, 3)
    load(content)
    names = {line.split(",")[1] for line in text.strip().split("\n")[1:]}
    assert {person.name for person in list_subscribers(db)} == names


@pytest.mark.parametrize("encoding", ["EUC-KR", "euc_kr", "ks_c_5601-1987", "cp949", "Windows-949"])
def test_an_encoding_may_be_named_in_many_ways(db: Database, load: Load, encoding: str) -> None:
    load("email,name\na@b.test,김민수\n".encode("euc_kr"), encoding=encoding)
    assert [person.name for person in list_subscribers(db)] == ["김민수"]


@pytest.mark.parametrize(
    ("text", "written_as", "named"),
    [
        ("恒裏粧", "cp950", "big5"),
        ("深水埗邨峯", "big5hkscs", "big5"),
        ("喆镕祎", "gbk", "gb2312"),
        ("똠방각하", "cp949", "euc-kr"),
        ("髙橋①", "cp932", "shift_jis"),
        ("“Zoë” – €", "cp1252", "latin1"),
        ("Müller", "mac_roman", "macintosh"),
        ("Žižek", "iso8859_2", "ISO-8859-2"),
        ("李伟", "utf-16", "utf-16"),
        ("李伟", "utf-16-le", "utf-16"),
        ("李伟", "utf-8-sig", "utf8"),
    ],
)
def test_letters_beyond_the_standard_are_read_where_the_encoding_is_named(
    db: Database, load: Load, text: str, written_as: str, named: str
) -> None:
    load(f"email,name\na@b.test,{text}\n".encode(written_as), encoding=named)
    assert [person.name for person in list_subscribers(db)] == [text]


@pytest.mark.parametrize(
    "named", ["foo", "utf8x", "rot13", "base64", "idna", "x" * 300, "\x00", "unicode_escape"]
)
def test_an_encoding_that_is_not_there_is_told(db: Database, load: Load, named: str) -> None:
    with pytest.raises(AudienceError, match="there is no encoding"):
        load("email\na@b.test\n", encoding=named)
    assert not list(list_subscribers(db))


def test_a_near_name_is_suggested(load: Load) -> None:
    with pytest.raises(AudienceError, match=r"did you mean cp1252\?"):
        load("email\na@b.test\n", encoding="cp12521")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "big5", "euc-kr", "cp1252"])
def test_bytes_that_the_named_encoding_has_not_are_told_with_their_line(
    db: Database, load: Load, encoding: str
) -> None:
    with pytest.raises(AudienceError) as caught:
        load(b"email,name\na@b.test,A\nc@d.test,\x81\xff\n", encoding=encoding)
    assert str(caught.value) == (
        f"list.csv:3: this line is not valid {encoding}; correct it, or name another encoding with --encoding"
    )
    assert not list(list_subscribers(db))


def test_a_mark_is_not_read_as_letters(load: Load) -> None:
    with pytest.raises(
        AudienceError, match=r"begins with the byte order mark of UTF-8; leave --encoding out"
    ):
        load(b"\xef\xbb\xbfemail\na@b.test\n", encoding="gbk")


def test_two_likely_encodings_are_both_named_with_what_they_make_of_a_cell(load: Load) -> None:
    """A single ñ is Spanish in one encoding and Polish in another."""
    with pytest.raises(AudienceError) as caught:
        load(b"email,name\na@b.test,Pe\xf1a\n")
    assert re.fullmatch(
        r'list\.csv: may be \S+ or \S+, so that a cell is "\S+" or "\S+"; say which with --encoding \S+ or '
        r"--encoding \S+, or save the list as CSV \(UTF-8\) and import that",
        str(caught.value),
    )


def test_where_encodings_give_the_same_text_it_does_not_matter_which(db: Database, load: Load) -> None:
    load("email,name\na@b.test,Müller\nc@d.test,Leßmann\n".encode("cp1252"))
    assert {person.name for person in list_subscribers(db)} == {"Müller", "Leßmann"}


@pytest.mark.parametrize("bad", [b"\xff", b"\xe9", b"\xe6\x9d", b"\xc3", b"\xed\xa0\x80"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_broken_byte_in_utf8_is_told_with_its_line(load: Load, bad: bytes, end: bytes) -> None:
    rows = ["email,name", *(f"r{n}@b.test,李伟 Zoë" for n in range(30))]
    lines = [row.encode() for row in rows]
    lines[17] += bad
    with pytest.raises(AudienceError) as caught:
        load(end.join(lines) + end)
    assert str(caught.value) == (
        "list.csv:18: is UTF-8 except for bytes in this line; correct the line, or name the encoding of the "
        "file with --encoding NAME"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("first", ["", "sep=;\n"])
def test_unicode_proves_itself(db: Database, load: Load, encoding: str, end: str, first: str) -> None:
    text = first + "email;name\na@b.test;Zoë, 李\n"
    load(text.replace("\n", end).encode(encoding))
    assert [person.name for person in list_subscribers(db)] == ["Zoë, 李"]


@pytest.mark.parametrize(
    "name",
    ["茅盾", "谩", "René", "Ñandú", "Łódź", "Ζωή", "Юрий", "אבי", "½", "¡", "ß", "①", "★ VIP", "🏗", "é"],
)
def test_a_short_list_in_utf8_is_read(db: Database, load: Load, name: str) -> None:
    load(f"email,name\na@b.test,{name}\n")
    assert [person.name for person in list_subscribers(db)] == [name]


def test_a_name_of_another_encoding_that_is_sound_utf8_is_not_spoilt() -> None:
    """In GBK, some names are sound UTF-8 by chance."""
    for name in ("李盲", "女媒", "毛媛", "明女"):
        content = f"email,name\na@b.test,{name}\n".encode("gbk")
        assert read(content) in ("", content.decode("gbk"))


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("Zubří", "mac_latin2"), ("POBĚŽOVICE", "cp1250"), ("MALÍŠEK", "cp1250"), ("BENÉŠ", "cp1250")],
)
def test_letters_of_one_byte_that_are_sound_utf8_are_not_spoilt(name: str, encoding: str) -> None:
    content = f"email,name\na@b.test,{name}\n".encode(encoding)
    assert content.decode() != content.decode(encoding)
    assert read(content) in ("", content.decode(encoding))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_known_where_most_is_chinese(db: Database, load: Load, encoding: str) -> None:
    note = "港口的起重机今天停了" * 4
    load(("邮箱,姓名,备注\n" + f"a@b.test,李伟,{note}\n" * 100).encode(encoding))
    assert [person.name for person in list_subscribers(db)] == ["李伟"]


def test_japanese_in_seven_bits_is_read(db: Database, load: Load) -> None:
    load("email,name\na@b.test,佐藤 健\n".encode("iso2022_jp"))
    assert [person.name for person in list_subscribers(db)] == ["佐藤 健"]


def test_a_rare_letter_far_behind_is_seen(tmp_path: Path) -> None:
    """The first ten thousand rows are the same in two encodings, and one row after them is not."""
    rows = "".join(f"r{n}@example.org,Jürgen Müller{n}\n" for n in range(10_000))
    polish = "".join(f"p{n}@example.org,{name}\n" for n, name in enumerate(invented("pl", 12, 1)))
    text = f"email,name\n{rows}{polish}{rows}"
    assert read(text.encode("cp1250")) in ("", text)


def test_a_list_that_changes_its_encoding_is_told_with_the_line() -> None:
    rows = "".join(f"r{n}@example.org,{name}\n" for n, name in enumerate(invented("zh-Hans", 9000, 1)))
    content = f"email,name\n{rows}".encode("gbk") + b"last@example.org,\x81\x20\n"
    with pytest.raises(
        AudienceError, match=r"list\.csv:9002: begins as GBK, but this line is not GBK; correct the line"
    ):
        detect_encoding(io.BytesIO(content), "list.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "cp1250"])
def test_finding_out_takes_little_memory(encoding: str) -> None:
    language = {"utf-8": "ja", "gbk": "zh-Hans", "cp1250": "pl"}[encoding]
    rows = "".join(f"r{n}@example.org,{name}\n" for n, name in enumerate(invented(language, 2000, 1)))
    content = io.BytesIO(b"email,name\n" + rows.encode(encoding) * 540)
    assert content.getbuffer().nbytes > 20_000_000
    tracemalloc.start()
    try:
        detect_encoding(content, "list.csv")
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()


def test_bytes_that_are_no_text_are_refused(load: Load) -> None:
    with pytest.raises(AudienceError, match="--encoding"):
        load(bytes(range(1, 256)) * 20)
    assert load(b"email\n" + b"\x00" * 8000).count("refused") == 1
