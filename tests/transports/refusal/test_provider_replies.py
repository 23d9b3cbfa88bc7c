"""Every reply of a collection of what providers answer, judged as a person judged it who read it.

The collection (ActiveCampaign's smtp-field-manual) is not part of this project. Here stands, for each reply
in its order, a hash of its code and text with what it means: D (another time may do) or R (refused for
good), and whose matter it is: a(ddress), m(ailbox), u(s), t(hem).

`python -m tests.transports.refusal.test_provider_replies` prints the table of what is judged how.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

from mailer.transports.refusal.refusal import Cause, classify_refusal
from tests.needs import missing

COLLECTION = Path(__file__).parents[4] / "shared" / "data" / "smtp-replies.json"

EXPECTED = """
d7caa865:Du db23783c:Du 404b6264:Du a2bb416c:Du b91b5ae5:Dt 158654dc:Dt dd49bcce:Du f936168c:Dt
3a5d95a5:Dt 16fd13b9:Dt 54d1f932:Dt ac0abfe4:Dt b52478a0:Dt 8ab85700:Dt b06c1628:Dt 8e9f5224:Dt
ca898edc:Dt 40ec2ed2:Dt f1cf0063:Dt 9fccebc3:Dt 9b0561d6:Dt bc909c8e:Dt b922e3ad:Du 7e318eda:Dt
9616f647:Dt 6a56afb2:Du b16f4393:Dt 4de5617c:Dt 6af6ac22:Dt 05726bae:Dt 76ea52b9:Dt 76616613:Dt
5f66d9be:Dt 66d12944:Dt c647be15:Du d3496b3a:Du 5e5b4d52:Dt b4b64092:Dt ce81ec8d:Du 4d93b077:Du
e416ab1b:Dt e2d20480:Dt 5282dd12:Dt 7683ffc9:Dt a67cbe3f:Dt bfe70a9b:Dt 3faf0f6d:Dt 07d0849a:Dm
99242a9c:Dt bab13d7b:Dt 4305725a:Du 56ee922a:Dt e5378205:Dt 401c0521:Dm 95b8ae5e:Dt 6d47d7e1:Ra
c2ef3745:Ru c2ef3745:Ru df652f88:Ra ed6f5218:Ru 905219ba:Rm 7c17f2f7:Rm 5bcd9737:Ra 6124d19d:Ra
ac603353:Dt 0c8eeb50:Ru 86f331e5:Ru 93738d65:Ru 002d9d37:Ru 1db7b49a:Ru fe22dedc:Ra 345cf411:Ru
6d491275:Ru 4a2d3e71:Ru 212d1c22:Ra 7e90f886:Ra 249029f1:Ru b508c0d8:Rm 0a58e128:Ra ea92fa1e:Ru
f3687232:Ru 118d8854:Ra 70412a50:Ra 946ab087:Ru 70412a50:Ra 7243151b:Ru d5398d45:Ra 44bcdad1:Ra
39eea6e7:Ra e44f94fd:Ru 5fb5a154:Ru 1e07fcc6:Ra 0b38781f:Ru 9a9b08a4:Rm 220b4aeb:Rm 6fad8989:Ru
f1c77baf:Rm ff0cdae6:Ru 1b581785:Ra b72631b8:Ru 9d3349a8:Ru ccef8a79:Rm b096321d:Dt c5eeb663:Ra
95aec7d5:Ru 98c3972f:Dt 4aa706db:Ru a71ee1ef:Ru 83455e74:Ra 853be5f8:Ru 828ab696:Ru 66ac5d7c:Ru
46b7beac:Ra a6dad3d6:Ru c3ddefbf:Ru 5d5175ac:Ru 5fb29a36:Rm a1f5a9b2:Ru 170772b6:Ru 95160ff9:Ru
6ad801f2:Ru dc7f3ebf:Rm 03f809b7:Ru 4efcac4b:Ru b951cb81:Ru 5f215af4:Ru aa5345f9:Rm 6b26746c:Rm
e1a71086:Ru 45443847:Ra 4679cc0a:Ra d996ea09:Ra 3d3c89be:Ra b275b515:Ru a536f92f:Ru 10235f48:Ru
f895cc45:Ru 62ad1103:Ra 5c6b2b84:Ru af43efac:Ru 63ebc6aa:Ru 1558b6dd:Ru 98ae1b25:Ra d690ed6f:Ru
92f7876f:Ru 0faadb18:Ru 9c31984f:Ra 0e9e2865:Ra 88c41a93:Ru a8439b92:Ru fb559c71:Ru 45ac07f7:Ra
1d57770d:Ru 66215a3c:Ru 362dbbfe:Ru 35eb5517:Rt a9ca92b2:Rt 9d1dfbc5:Rt ff498af3:Rt 5f9c2be6:Rt
721d8970:Rm b13a9b17:Ru 51b54258:Ru 59bed6d2:Ru ae80ccb8:Ru 07a887a6:Ra 74db6699:Rm 2550d982:Rm
ef2d1e8e:Rm f84ee887:Rm 922e7037:Rm 280d9625:Rm 0a8cd9f8:Ra cb093484:Ru 8f84de95:Ru a28844c9:Ru
0c9b10c4:Ru 50d36cc3:Ru c268d861:Dt 978fdf5e:Dt 47449745:Ra d142b8cf:Ra 6df9fd91:Rt 0119e645:Ru
6db727ba:Ru 0a5768d7:Ru 1282a276:Ru 1834ee4b:Ra 7abce155:Ru a749aed7:Ru bd28eb22:Ru e3d95abe:Ru
ad8f8235:Ru 22b0bd19:Ru b63fc003:Rm 393d4bc1:Ru f486c2b3:Ru e22444f6:Ru 8b0d0add:Ru 7b64c02a:Ru
8dd120bc:Ra bb868b63:Rt d774deea:Rm a919d96e:Ru 0b0542d9:Ru dd850baa:Ra
"""


def replies() -> list[tuple[int, str]]:
    """(code, text) of each reply in the collection."""
    return [(entry["reply"], entry["text"]) for entry in json.loads(COLLECTION.read_text("utf-8"))]


def words(text: str) -> str:
    """A text without the code that some begin with, as a transport passes it on."""
    return re.sub(r"^(?:smtp;\s?)?[245][0-9]{2}[ -]", "", text, flags=re.IGNORECASE)


def verdict(code: int, text: str) -> str:
    later, cause = classify_refusal(code, text)
    return f"{'D' if later else 'R'}{cause.value[0]}"


def key(code: int, text: str) -> str:
    return hashlib.sha256(f"{code} {text}".encode()).hexdigest()[:8]


def test_each_reply_is_judged_as_it_was_read() -> None:
    if not COLLECTION.exists():
        missing(str(COLLECTION.name))
    known = replies()
    expected = [entry.partition(":")[::2] for entry in EXPECTED.split()]
    assert [key(*reply) for reply in known] == [found for found, _ in expected]
    for form in (str, words):  # with a code before the words, as in a bounce, and without
        wrong = [
            f"{verdict(code, form(text))} and not {right}: {code} {text}"
            for (code, text), (_, right) in zip(known, expected, strict=True)
            if verdict(code, form(text)) != right
        ]
        assert not wrong, "\n".join(wrong)


def test_the_letters_are_those_of_the_causes() -> None:
    assert sorted(cause.value[0] for cause in Cause) == ["a", "m", "t", "u"]


if __name__ == "__main__":
    for code, text in replies():
        sys.stdout.write(f"{verdict(code, text)} {code} {text}\n")
