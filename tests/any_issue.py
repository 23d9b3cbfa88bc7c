"""Issues made at random that use all keys there are, each of their texts a word that stands nowhere else."""

from __future__ import annotations

from random import Random
from typing import Any

__all__ = ["AnyIssue"]

_LANGUAGES = ("en", "zh", "ar", "de")


class AnyIssue:
    """Makes the tree of one issue.

    `words` has each word by the key that it was written for, in order; `urls` are the addresses of its links.
    """

    def __init__(self, seed: int, edition: str) -> None:
        self._random = Random(seed)
        self.words: dict[str, str] = {}
        self.urls: list[str] = []
        self._has_lead = edition == "brief"
        self.tree = self._issue(edition)

    def _word(self, key: str) -> str:
        word = f"Z{len(self.words)}{key.rpartition('.')[2].lower()}z"
        self.words[key] = word
        return word

    def _maybe(self, share: float = 0.5) -> bool:
        return self._random.random() < share

    def _some(self, key: str, *names: str, share: float = 0.4) -> dict[str, Any]:
        """Returns words for some of these keys."""
        return {name: self._word(f"{key}.{name}") for name in names if self._maybe(share)}

    def _url(self) -> str:
        self.urls.append(f"https://www.example.org/{len(self.urls)}")
        return self.urls[-1]

    def _text(self, key: str) -> str:
        """Returns Markdown of one of several kinds, with one to three words of its own."""
        word = self._word(key)
        match self._random.randrange(7):
            case 0:
                return f"**{word}** and `{self._word(key + '.code')}`"
            case 1:
                link = f"[{self._word(key + '.link')}]({self._url()})"
                return f"{word}\n\n- {self._word(key + '.entry')}\n- {link}"
            case 2:
                return f"> {word}\n>\n> — {self._word(key + '.by')}"
            case 3:
                return f"| {word} | b |\n|---|--:|\n| {self._word(key + '.cell')} | 3 |"
            case 4:
                return f"```\n{word}\n```"
            case 5:
                return f"{word}\n\n{self._word(key + '.second')}\n\n---\n\n{self._word(key + '.third')}"
        return word

    def _image(self, key: str) -> dict[str, Any]:
        image: dict[str, Any] = {
            "src": f"https://images.example.org/{self._random.randrange(99)}.png",
            "alt": "A picture",
            "place": self._random.choice(["above", "below", "after"]),
            **self._some(key, "caption", "credit"),
        }
        if self._maybe():
            image["width"] = self._random.choice([90, 300, 640])
        if self._maybe(0.3):
            image["url"] = self._url()
        return image

    def _links(self, key: str) -> list[dict[str, str]]:
        count = self._random.randint(1, 3)
        return [{"text": self._word(f"{key}.links.{n}.text"), "url": self._url()} for n in range(count)]

    def _event(self, key: str) -> dict[str, Any]:
        event: dict[str, Any] = {"starts": f"2026-12-{self._random.randint(10, 15)}"}
        if self._maybe():
            event["starts"] += "T09:30"
        if self._maybe():
            has_time = "T" in event["starts"] and self._maybe()
            event["ends"] = f"2026-12-{self._random.randint(16, 20)}" + ("T18:00" if has_time else "")
        if self._maybe():
            event["url"] = self._url()
        return event | self._some(key, "venue", "address")

    def _quote(self, key: str) -> dict[str, Any]:
        quote = {"text": self._text(f"{key}.text"), **self._some(key, "by")}
        return quote | ({"url": self._url()} if self._maybe() else {})

    def _item(self, key: str, *, is_bare: bool) -> dict[str, Any]:
        item: dict[str, Any] = {}
        kind = self._random.choice(["story"] * 5 + ["event", "job", "quote", "sponsor", "lead"])
        also = self._random.choice(["event", "job", "quote"]) if kind != "story" and self._maybe(0.3) else ""
        if "quote" in (kind, also):
            item["quote"] = self._quote(f"{key}.quote")
        if kind != "quote" or also in ("event", "job") or self._maybe():
            item["title"] = self._word(f"{key}.title")
        if "event" in (kind, also):
            item["event"] = self._event(f"{key}.event")
        if "job" in (kind, also):
            item["job"] = self._some(f"{key}.job", "organisation", "place", "salary")
            if self._maybe():
                item["job"]["url"] = self._url()
        if kind == "sponsor":
            item["sponsored"] = True
        elif kind == "lead" and not self._has_lead:
            item["lead"] = self._has_lead = True
        share = 0.0 if is_bare and kind == "story" else 0.4
        if self._maybe(share):
            item["body"] = self._text(f"{key}.body")
        if self._maybe(share / 2):
            item["comment"] = self._text(f"{key}.comment")
        if self._maybe(share / 2):
            item["image"] = [self._image(f"{key}.image.{n}") for n in range(self._random.randint(1, 2))]
        if self._maybe(0.3):
            item["source"] = {"name": self._word(f"{key}.source.name")}
            if self._maybe():
                item["source"]["url"] = self._url()
        if self._maybe():
            item["url"] = self._url()
        if self._maybe(0.3):
            item["links"] = self._links(key)
        if self._maybe(0.2):
            item["byline"] = self._word(f"{key}.byline")
        if self._maybe(0.2):
            item["tags"] = [self._word(f"{key}.tags")]
        if self._maybe(0.2):
            item["language"] = self._random.choice(_LANGUAGES)
        if self._maybe() and any(
            part.get("url") for part in (item, item.get("event") or {}, item.get("job") or {})
        ):
            item["label"] = self._word(f"{key}.label")
        return item

    def _items(self, key: str) -> list[dict[str, Any]]:
        is_bare = self._maybe(0.3)
        return [self._item(f"{key}.{n}", is_bare=is_bare) for n in range(self._random.randint(1, 5))]

    def _section(self, key: str) -> dict[str, Any]:
        section: dict[str, Any] = {"title": self._word(f"{key}.title")}
        if self._maybe(0.4):
            section["intro"] = self._text(f"{key}.intro")
        if self._maybe(0.2):
            section["image"] = self._image(f"{key}.image")
        if self._maybe(0.2):
            section["language"] = self._random.choice(_LANGUAGES)
        if self._maybe(0.3):
            section["body"] = self._text(f"{key}.body")
        if self._maybe(0.3):
            section["style"] = self._random.choice(["list", "stories"])
        if self._maybe(0.8) or not {"intro", "body", "image"} & set(section):
            section["items"] = self._items(f"{key}.items")
        return section

    def _related(self, key: str) -> dict[str, Any]:
        link = {"title": self._word(f"{key}.title"), **self._some(key, "kind", "date")}
        return link | ({"url": self._url()} if self._maybe(0.7) else {})

    def _group(self, key: str) -> dict[str, Any]:
        """Returns an entry of `related`: a link, or a group of links."""
        if self._maybe():
            return self._related(key)
        group: dict[str, Any] = {"title": self._word(f"{key}.title")}
        if self._maybe():
            group["url"] = self._url()
        group["items"] = [self._related(f"{key}.items.{n}") for n in range(self._random.randint(1, 4))]
        return group

    def _issue(self, edition: str) -> dict[str, Any]:
        tree: dict[str, Any] = {
            "edition": edition,
            "date": "2026-11-26",
            "language": self._random.choice(_LANGUAGES),
        }
        tree |= self._some("", "number", "kicker", "title", "byline")
        for name in ("standfirst", "intro"):
            if self._maybe(0.4):
                tree[name] = self._text(name)
        if self._maybe(0.4):
            tree["image"] = self._image("image")
        if self._maybe(0.4):
            tree["contents"] = self._maybe()
        if self._maybe(0.6):
            tree["numbering"] = self._random.choice(["through", "by-section", "none"])
        if self._maybe(0.3):
            tree["body"] = self._text("body")
        if self._maybe():
            tree["items"] = self._items("items")
            if self._maybe(0.3):
                tree["style"] = self._random.choice(["list", "stories"])
        else:
            tree["sections"] = [self._section(f"sections.{n}") for n in range(self._random.randint(1, 4))]
        if self._maybe(0.3):
            tree["column"] = self._some("column", "title", "label", "byline") | {
                "body": self._text("column.body")
            }
        if self._maybe(0.4):
            call: dict[str, Any] = {"text": self._text("call_to_action.text")}
            if self._maybe(0.7):
                call |= {"label": self._word("call_to_action.label"), "url": self._url()}
            if self._maybe():
                call["condition"] = self._text("call_to_action.condition")
            if self._maybe():
                call["links"] = self._links("call_to_action")
            tree["call_to_action"] = call
        if self._maybe():
            tree["related"] = [self._group(f"related.{n}") for n in range(self._random.randint(1, 3))]
        if self._maybe(0.3):
            tree["tags"] = [self._word("tags")]
        if self._maybe(0.4):
            tree["notices"] = [
                {"text": self._text(f"notices.{n}.text"), "place": place}
                for n, place in enumerate(("before", "after", "footer"))
            ]
        if self._maybe(0.3):
            tree["notice"] = self._text("notice")
        return tree
