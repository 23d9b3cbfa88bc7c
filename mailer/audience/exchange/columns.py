"""What the header of a list means: which column holds the address, the name and so on. Pure.

Names are matched without regard to case, spaces and punctuation. A column that is none of ours is a free
attribute; `attributes.KEY`, as an export writes it, is the attribute KEY exactly.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mailer.audience.address import shown
from mailer.audience.values import MAX_KEY, attribute_key
from mailer.errors import AudienceError, Problem
from mailer.words import nearest

__all__ = ["ATTRIBUTE_PREFIX", "REFUSED_BECAUSE", "REFUSED_ROW", "Columns", "read_header"]

ATTRIBUTE_PREFIX = "attributes."
#: The two columns of a file of refused rows; an import passes over them.
REFUSED_ROW, REFUSED_BECAUSE = "refused_row", "refused_because"
MAX_COLUMNS = 300

_NAMES = {
    "address": "address email mail emailaddress mailaddress 邮箱 电子邮件 电子邮箱 邮件 邮件地址 "
    "邮箱地址 电子邮件地址 电邮 邮址",
    "name": "name fullname displayname 姓名 名字 名称 称呼 全名",
    "first_name": "firstname givenname forename fname 名",
    "last_name": "lastname familyname surname lname 姓 姓氏",
    "language": "language lang locale 语言",
    "timezone": "timezone tz 时区",
    "tags": "tags tag labels 标签",
    "editions": "editions edition 版本 刊物 订阅版本",
    "joined": "joined joinedat joindate created createdat date signupdate signedup subscribedat "
    "optintime 加入时间 加入日期 订阅时间 订阅日期 注册时间 注册日期 创建时间 日期",
    "status": "status 状态",
    "consent_at": "consentat consentdate consenttime consentgivenat 同意时间 同意日期",
    "consent_method": "consentmethod consent consenttype 同意方式",
    "consent_origin": "consentorigin consentsource consentfrom 同意来源",
    "suppressed_at": "suppressedat suppressed",
    "suppressed_reason": "suppressedreason suppressionreason",
    "refused": f"{REFUSED_ROW.replace('_', '')} {REFUSED_BECAUSE.replace('_', '')}",
}
_FIELD_OF = {name: field for field, names in _NAMES.items() for name in names.split()}
_SUGGESTED = ("address", "email", "mail")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field stands (from 0), the attributes as (place, key), and what is wrong."""

    header: tuple[str, ...]
    fields: dict[str, int]
    attributes: tuple[tuple[int, str], ...]
    unnamed: tuple[int, ...]
    problems: tuple[str, ...]

    @property
    def known(self) -> int:
        """How many columns are ours: the measure of whether the file was split rightly."""
        return len(self.fields)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.header)

    def check(self, path: str, line: int) -> None:
        """Raises AudienceError with everything that makes the header unusable."""
        problems = list(self.problems)
        if "address" not in self.fields:
            problems.insert(0, self._no_address())
        if self.width > MAX_COLUMNS:
            problems = [f"there are {self.width:,} columns; at most {MAX_COLUMNS} are read"]
        if problems:
            raise AudienceError.of(Problem(problem, path, line) for problem in problems)

    def _no_address(self) -> str:
        if any("@" in cell for cell in self.header):
            return "there is no header row; put one above the list, such as address,name,language"
        near = next((cell for cell in self.header if nearest(cell, _SUGGESTED)), None)
        hint = f"rename {shown(near)} to address" if near else "name the column with the addresses address"
        return f"no column holds the address (found {self._found()}); {hint}"

    def _found(self) -> str:
        named = [shown(cell, 30) for cell in self.header if cell]
        return ", ".join(named[:8]) + (" …" if len(named) > 8 else "")


def read_header(cells: list[str]) -> Columns:
    """What the cells of a header mean. Nothing is raised: `Columns.check` does."""
    header = tuple(cell.strip().strip("\ufeff").strip() for cell in cells)
    fields: dict[str, int] = {}
    attributes: dict[str, int] = {}
    unnamed: list[int] = []
    problems: list[str] = []
    for place, name in enumerate(header):
        field = _FIELD_OF.get(_compact(name))
        if not name:
            unnamed.append(place)
        elif field == "refused":
            continue
        elif field:
            if field in fields:
                problems.append(_twice(header, fields[field], place, f"both hold the {field}"))
            fields.setdefault(field, place)
        else:
            try:
                key = _attribute(name)
            except AudienceError as error:
                problems.append(error.problems[0].message)
                continue
            if key in attributes:
                problems.append(_twice(header, attributes[key], place, f"are both the attribute {key}"))
            attributes.setdefault(key, place)
    pairs = tuple((place, key) for key, place in attributes.items())
    return Columns(header, fields, pairs, tuple(unnamed), tuple(problems))


def _compact(name: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name).casefold())


def _attribute(name: str) -> str:
    key = name.removeprefix(ATTRIBUTE_PREFIX)
    if key == name or not key or len(key) > MAX_KEY or not key.isprintable():
        return attribute_key(key)
    return key


def _twice(header: tuple[str, ...], first: int, second: int, what: str) -> str:
    return (
        f"columns {first + 1} and {second + 1} ({shown(header[first], 30)} and {shown(header[second], 30)}) "
        f"{what}; rename or remove one"
    )
